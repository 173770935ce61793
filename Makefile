# Everything a maintainer does: `make setup`, `make test`, `make demo`, `make contract`, `make lock`.
PYTHON ?= python3
SDK ?=
PYTEST_ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup lint types tests test demo docs contract lock clean

help:
	@echo "make setup     .venv with the locked dependencies and this package, editable"
	@echo "make test      lint, types, tests (PYTEST_ARGS='-k words' narrows them)"
	@echo "make demo      a sync of a workspace on this machine into DuckDB, no Linear account needed"
	@echo "               (FRESH=1 starts over, ISSUES=500 makes another size, LINEAR_API_KEY=… reads your own)"
	@echo "make docs      schemas/, the generated parts of the docs and the picture of the streams"
	@echo "make contract  what Linear's API changed (SDK=latest, or a version of @linear/sdk)"
	@echo "make lock      requirements/*.txt from pyproject.toml and requirements/*.in (UPGRADE=1 for newer versions)"
	@echo "make clean     everything that the others made"

setup: .venv/package.stamp

# Python 3.11 or newer, with nothing but its own pip: the locks carry the hashes.
.venv/requirements.stamp: requirements/test.txt
	@echo "installing the locked dependencies into .venv"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes --requirement requirements/test.txt
	@touch $@

.venv/package.stamp: .venv/requirements.stamp pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy --strict source_linear

tests: setup
	$(BIN)/pytest unit_tests integration_tests -q --durations=10 $(PYTEST_ARGS)

test: lint types tests

demo: setup
	$(BIN)/python -m tools.demo $(if $(FRESH),--fresh) $(if $(ISSUES),--issues $(ISSUES))

docs: setup
	$(BIN)/python -m tools.schemas
	$(BIN)/python -m tools.docs

contract: setup
	$(BIN)/python -m tools.contract $(if $(SDK),--sdk $(SDK))

lock:
	PYTHON=$(PYTHON) tools/lock.sh $(if $(UPGRADE),--upgrade)

clean:
	rm -rf .demo .venv .cache build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
