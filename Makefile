# Everything a maintainer does. `.ci/run` runs all that has to hold before a change lands.
PYTHON ?= python3
SDK ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup lint types tests test test-image test-clients test-pythons pyairbyte audit sbom soak demo bench docs contract lock clean

help:
	@echo "make setup     .venv with the locked dependencies and this package, editable"
	@echo "make test      lint, types, tests (PYTEST_ARGS='-k words' narrows them)"
	@echo "make test-image    the Dockerfile built and run, on a Docker engine (root on Debian gets one)"
	@echo "make test-clients  PyAirbyte, and a destination in PostgreSQL (root on Debian gets one)"
	@echo "make soak      1,000 histories of a changing workspace, and no row lost (HISTORIES=100 FIRST_SEED=1)"
	@echo "make test-pythons  the wheel on every Python that it is for, where there is one"
	@echo "make audit     the Dockerfile linted, the locks asked for vulnerabilities, the licences read"
	@echo "make sbom      what is shipped, as CycloneDX, in .cache/sbom.cdx.json"
	@echo "make demo      a sync of a workspace on this machine into DuckDB, no Linear account needed"
	@echo "               (FRESH=1 starts over, ISSUES=500 makes another size, LINEAR_API_KEY=… reads your own)"
	@echo "make bench     benchmarks/report: the connector against the usual ways (BENCH_ARGS='--quick' for a glance)"
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
	$(BIN)/pytest unit_tests integration_tests -q -n 2 --dist loadfile --durations=10 $(PYTEST_ARGS)

test: lint types tests

soak: setup
	$(BIN)/python -m integration_tests.histories \
		--histories $(or $(HISTORIES),1000) --first-seed $(or $(FIRST_SEED),1)

test-image: setup
	$(BIN)/pytest integration_tests -m image_tests -q -rs $(PYTEST_ARGS)

test-clients: setup pyairbyte
	$(BIN)/pytest integration_tests -m clients -q -rs $(PYTEST_ARGS)

test-pythons: setup
	$(BIN)/pytest integration_tests -m pythons -q -rs $(PYTEST_ARGS)

# In an environment of its own: it pins what the connector has newer. The lock is complete (--no-deps), and
# pip cannot tell when one names extras. On a Python that PyAirbyte is not made for its tests are skipped.
pyairbyte: .cache/pyairbyte/stamp

.cache/pyairbyte/stamp: requirements/pyairbyte.txt
	@mkdir -p $(@D)
	@if $(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then \
	  echo "installing PyAirbyte into $(@D)"; \
	  $(PYTHON) -m venv $(@D) && $(@D)/bin/python -m pip -qq --disable-pip-version-check install \
	    --no-deps --require-hashes --requirement requirements/pyairbyte.txt && touch $@; \
	else echo "PyAirbyte is not made for this Python"; fi

# The tools of `audit` and `sbom`, and what a user gets who installs the connector.
.cache/audit/stamp: requirements/audit.txt
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip -qq --disable-pip-version-check install --require-hashes --requirement $<
	@touch $@

.cache/shipped/stamp: requirements/run.txt pyproject.toml .venv/package.stamp
	@rm -rf $(@D)
	@$(PYTHON) -m venv --without-pip $(@D)
	@$(PIP) --python $(@D)/bin/python install --require-hashes --requirement $<
	@$(PIP) --python $(@D)/bin/python install --no-deps .
	@touch $@

sbom: .cache/sbom.cdx.json

.cache/sbom.cdx.json: .cache/audit/stamp .cache/shipped/stamp
	@.cache/audit/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application \
	  --output-file $@ .cache/shipped/bin/python

audit: setup sbom
	.cache/audit/bin/hadolint Dockerfile
	$(BIN)/python -m tools.audit --sbom .cache/sbom.cdx.json --pip-audit .cache/audit/bin/pip-audit

demo: setup
	$(BIN)/python -m tools.demo $(if $(FRESH),--fresh) $(if $(ISSUES),--issues $(ISSUES))

bench: setup
	@$(PIP) install --require-hashes --requirement requirements/bench.txt
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

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
