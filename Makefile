# Everything a maintainer does. `.ci/run` runs all that has to hold before a change lands.
PYTHON ?= python3
SDK ?=
PYTEST_ARGS ?=
CONFIG ?=
JSON ?=
WATCH ?=
TITLE ?=
BENCH_ARGS ?=

# Environments are not compiled when they are made (tools/environment.sh): Python has to keep what it compiles.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
ENVIRONMENT := PYTHON='$(PYTHON)' tools/environment.sh

# An environment whose Python is gone, or is another than the one that was given, is no environment.
GIVEN := $(if $(filter command line environment,$(origin PYTHON)),$(PYTHON))
DOUBTED := $(shell GIVEN='$(GIVEN)' $(ENVIRONMENT) doubt $(dir $(wildcard .venv/*.stamp .cache/*/*stamp)) 2>&1)
ifneq ($(DOUBTED),)
$(error $(DOUBTED))
endif

.DEFAULT_GOAL := help
.PHONY: help setup lint types tests test test-slow test-image test-clients models test-pythons clients canary audit sbom release soak demo verify bench mutation docs contract lock clean

help:
	@echo "make setup     install locked dependencies and this package into .venv"
	@echo "make test      lint, types, tests (PYTEST_ARGS='-k words' selects some)"
	@echo "make test-slow     tests that go through very many cases: faults, histories, deviations of Linear's API"
	@echo "make test-image    build and run the image (needs a Docker engine; root on Debian installs one)"
	@echo "make test-clients  each recipe of docs/clients.md, and a PostgreSQL destination (root on Debian installs one)"
	@echo "make models    build and test the dbt package on the demo's DuckDB and on PostgreSQL (root on Debian installs one)"
	@echo "make soak      10,000 random histories of a workspace in memory, then 500 through the connector's process"
	@echo "               (HISTORIES=1000 PROCESSES=50 FIRST_SEED=1)"
	@echo "make test-pythons  the wheel on every supported Python that is installed"
	@echo "make canary    tests on the newest airbyte-cdk, with a report of what broke"
	@echo "make audit     lint Dockerfile and workflows, check locked versions for vulnerabilities and licences"
	@echo "make sbom      software bill of materials, CycloneDX, in .cache/sbom.cdx.json"
	@echo "make release   wheel, sdist, image, SBOM, notes and checksums of this commit, in dist/ (needs a Docker engine;"
	@echo "               PUBLISH=1 makes a release on GitHub of them)"
	@echo "make demo      sync a simulated workspace into DuckDB and draw a report, no Linear account needed"
	@echo "               (FRESH=1 starts over, ISSUES=500 makes another size, LINEAR_API_KEY=… reads your workspace)"
	@echo "make verify    compare Linear's API with what is known of it, read-only: LINEAR_API_KEY=…, or CONFIG=config.json"
	@echo "               (JSON=report.json writes a report without content, WATCH=1 follows an issue that you change)"
	@echo "make mutation  plant 200 random faults in what decides about a sync, and list those that no fast test notices"
	@echo "make bench     benchmark against other connectors, into benchmarks/report (BENCH_ARGS='--quick' for a short run)"
	@echo "make docs      generate schemas/, builder.yaml, the generated parts of docs and dbt package, and the diagram"
	@echo "make contract  update the contract and report API changes (SDK=latest, or a version of @linear/sdk)"
	@echo "make lock      write requirements/*.txt (UPGRADE=1 for newer versions)"
	@echo "make clean     remove everything that the other targets created"

setup: .venv/package.stamp

# A stamp is written once all of it is there. Python with its own pip is all that a machine needs.
.cache/uv/stamp: requirements/uv.txt
	@$(ENVIRONMENT) get-uv

.venv/requirements.stamp: requirements/test.txt .cache/uv/stamp
	@$(ENVIRONMENT) sync .venv $<

.venv/package.stamp: .venv/requirements.stamp pyproject.toml
	@$(ENVIRONMENT) uv pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/bench.stamp: requirements/bench.txt .venv/package.stamp
	@$(ENVIRONMENT) uv pip install --python $(BIN)/python --require-hashes --requirement $<
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
	$(BIN)/python -m unit_tests.world --histories $(or $(HISTORIES),10000) --first-seed $(or $(FIRST_SEED),0)
	$(BIN)/python -m integration_tests.soak --histories $(or $(PROCESSES),500) --first-seed $(or $(FIRST_SEED),0)

test-slow: setup
	$(BIN)/pytest unit_tests integration_tests -m 'slow and not image_tests' -q -n 2 --dist loadfile \
		--durations=10 $(PYTEST_ARGS)

test-image: setup
	$(BIN)/pytest integration_tests -m image_tests -q -rs $(PYTEST_ARGS)

test-clients: setup clients
	$(BIN)/pytest integration_tests -m clients -q -rs -n 2 --dist loadfile $(PYTEST_ARGS)

models: setup .cache/dbt/requirements.stamp .cache/dbt-engines/requirements.stamp
	$(BIN)/python -m tools.models
	$(BIN)/pytest integration_tests -m models -q -rs -n 2 --dist loadfile $(PYTEST_ARGS)

test-pythons: setup
	$(BIN)/pytest integration_tests -m pythons -q -rs $(PYTEST_ARGS)

# Each in an environment of its own: they pin what the connector has newer. One that is not made for this
# Python is left out, and its tests are skipped.
clients: .cache/dlt/requirements.stamp .cache/airbyte-serverless/requirements.stamp
	@$(call client,13,pyairbyte/requirements.stamp,PyAirbyte)
	@$(call client,12,singer/tap.stamp,tap-airbyte)

client = if $(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, $(1)))'; \
	then $(MAKE) --no-print-directory .cache/$(2); \
	else echo "$(3) is not made for this Python"; fi

.cache/singer/tap.stamp: requirements/tap-airbyte.txt .cache/singer/requirements.stamp
	@.cache/uv/bin/python -m pip -qq --python $(@D)/bin/python --disable-pip-version-check install \
		--no-deps --ignore-requires-python --require-hashes --requirement $<
	@touch $@

# The tools of `audit` and `sbom`, the clients, and dbt.
.cache/%/requirements.stamp: requirements/%.txt .cache/uv/stamp
	@$(ENVIRONMENT) sync $(@D) $<

# What a user gets who installs the connector.
.cache/shipped/requirements.stamp: requirements/run.txt .cache/uv/stamp
	@$(ENVIRONMENT) sync $(@D) $<

.cache/shipped/package.stamp: .cache/shipped/requirements.stamp .venv/package.stamp
	@$(ENVIRONMENT) uv pip install --python $(@D)/bin/python --no-deps --build-constraints requirements/build.txt .
	@touch $@

canary: .cache/uv/stamp
	@$(ENVIRONMENT) newest .cache/canary
	@.cache/canary/bin/python -m tools.canary $(PYTEST_ARGS)

sbom: .cache/sbom.cdx.json

.cache/sbom.cdx.json: .cache/audit/requirements.stamp .cache/shipped/package.stamp
	@.cache/audit/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible \
	  --output-file $@ .cache/shipped/bin/python

audit: setup sbom
	.cache/audit/bin/hadolint Dockerfile
	.cache/audit/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.cache/audit/bin/zizmor --offline --quiet --persona pedantic .github/workflows
	$(BIN)/python -m tools.audit --sbom .cache/sbom.cdx.json --pip-audit .cache/audit/bin/pip-audit

release: setup
	$(BIN)/python -m tools.release $(if $(PUBLISH),--publish)

demo:
	@$(MAKE) --silent -j2 setup .cache/dbt/requirements.stamp
	$(BIN)/python -m tools.demo $(if $(FRESH),--fresh) $(if $(ISSUES),--issues $(ISSUES))

verify: setup
	@$(BIN)/python -m tools.verify $(if $(CONFIG),--config '$(CONFIG)') $(if $(JSON),--json '$(JSON)') \
		$(if $(WATCH),--watch) $(if $(TITLE),--title '$(TITLE)')

mutation: setup
	$(BIN)/python -m tools.mutation

bench: .venv/bench.stamp
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

docs: setup
	$(BIN)/python -m tools.schemas
	$(BIN)/python -m tools.docs
	$(BIN)/python -m tools.builder
	$(BIN)/python -m tools.dbt_package

contract: setup
	$(BIN)/python -m tools.contract $(if $(SDK),--sdk $(SDK))

lock: .cache/uv/stamp
	tools/lock.sh $(if $(UPGRADE),--upgrade)

clean:
	rm -rf .demo .venv .cache build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
