# Lotus Lake: everything a person or the CI runs. A bare `make` prints the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
LOTUSLAKE := $(BIN)/lotuslake
# The first of these that runs and is 3.11 or newer; `make install PYTHON=/path/to/python` decides otherwise.
PYTHONS := $(or $(PYTHON),python3.11 python3.12 python3.13 python3.14 python3)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input
# Options and selectors for the wrapped subcommands: make register ARGS="shopify/orders --dry-run"
ARGS ?=
# Test files run in parallel, one process a processor, in order: the long ones come before tests/unit. JOBS=1 for one.
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
PYTEST := $(BIN)/pytest $(if $(filter-out 1,$(JOBS)),--numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder)

##@ First steps
.PHONY: help install demo test

help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z0-9-]*:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/.package-installed ## Install the locked packages and this one into .venv (quick when nothing changed)

demo: install ## Make a believable shop and run the chain on it (ARGS="--scale 2")
	$(LOTUSLAKE) demo $(ARGS)

.venv/bin/python:
	@chosen=; \
	for candidate in $(PYTHONS); do \
		if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then chosen=$$candidate; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
		echo "make: no Python 3.11 or newer found (tried: $(PYTHONS)). Install one, or name it: make install PYTHON=/path/to/python" >&2; exit 2; \
	fi; \
	if ! $$chosen -c 'import ensurepip, venv' >/dev/null 2>&1; then \
		echo "make: $$chosen cannot make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 2; \
	fi; \
	echo "Making .venv with $$($$chosen --version)"; \
	$$chosen -m venv .venv

.venv/.packages-installed: requirements-dev.lock | .venv/bin/python
	@echo "Installing the packages of requirements-dev.lock (about a minute the first time)"
	@$(PIP) install --require-hashes --no-deps --only-binary :all: -r requirements-dev.lock
	@touch $@

.venv/.package-installed: pyproject.toml .venv/.packages-installed
	@echo "Installing lotuslake from this folder"
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

##@ Services of this machine: SeaweedFS (STORE=minio: MinIO) and Postgres, in SERVICES_DIR
.PHONY: services-up services-down services-clean demo-s3

SERVICES_DIR ?= .lotuslake/services
STORE ?=
SERVICES = $(BIN)/python -m tools.services --dir "$(SERVICES_DIR)"

services-up: install ## Start both, or find them running, and write $(SERVICES_DIR)/env for a shell
	@$(SERVICES) up $(if $(STORE),--store $(STORE))

services-down: install ## Stop both; their data stay
	@$(SERVICES) down

services-clean: install ## Stop both and remove their data
	@$(SERVICES) clean

demo-s3: services-up ## The demo on them (ARGS="--scale 2")
	@. "$(SERVICES_DIR)/env" && $(LOTUSLAKE) demo $(ARGS)
	@printf '%s\n' '' 'To look at it from this shell:' '  . $(SERVICES_DIR)/env' \
		'  $(LOTUSLAKE) query "FROM enriched.fct_sales LIMIT 5"' 'To stop the services: make services-down'

##@ Checks
.PHONY: check catalog-check terraform-check state-check verify-image actionlint debian-tools manifests image image-build docs fmt test-unit test-outside test-connectors test-integration coverage test-faults keep-lake

check: install catalog-check terraform-check state-check actionlint ## Format, lint, types, import contract, Dockerfile, catalogs; edits nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

catalog-check: install ## Whether manifests/airbyte/generated is what streams/ gives
	$(LOTUSLAKE) generate-catalog --check

terraform-check: ## Format of manifests/airbyte; without terraform it says so and goes on
	@if command -v terraform >/dev/null 2>&1; then \
		echo terraform fmt -check -recursive -diff manifests/airbyte; \
		terraform fmt -check -recursive -diff manifests/airbyte; \
	else \
		echo "terraform-check skipped: there is no terraform on PATH"; \
	fi

state-check: ## No Terraform state in the tree: it holds secrets
	@found=$$(find . \( -path ./.venv -o -path ./.git -o -path ./.lotuslake \) -prune -o \
		\( -name '*.tfstate' -o -name '*.tfstate.*' -o -name .terraform \) -print; \
		git ls-files 2>/dev/null | grep -E '(\.tfstate|/\.terraform/)' || true); \
	if [ -n "$$found" ]; then echo "state-check: Terraform state lies in the tree: $$found" >&2; exit 1; fi

# Of manifests/overlays/prod; needs cosign and the registry.
verify-image: ## Whether prod's image was signed by the image workflow, at the tag of its release
	@tag=$$(sed -n 's/^ *newTag: *\([^ ]*\).*/\1/p' manifests/overlays/prod/kustomization.yaml); \
	.ci/verify_image "ghcr.io/lotus-lake/lotuslake:$$tag" "refs/tags/v$$tag"

actionlint: install ## Lint of .github/workflows
	$(BIN)/actionlint .github/workflows/*.yml

# Not from wheels, unlike all other tools; unpacked, not installed, so that no service starts and no rights are needed.
debian-tools: install ## promtool and age for the tests, from Debian's packages into .venv/bin; elsewhere it says so and goes on
	@$(BIN)/python -m tools.debian prometheus:promtool age:age,age-keygen tini:tini

manifests: install ## Build each overlay; schemas, policies, names, alerts, secrets (CRDs: CRD_SCHEMAS=FOLDER)
	$(PYTEST) tests/manifests $(ARGS)

image: install ## Lay the image's content out and run it as in a cluster, every CronJob's own command too
	$(PYTEST) tests/image $(ARGS)

# The fetched packages and the base stay there for the next build: 400 MB.
IMAGE_DIR ?= .lotuslake/image
image-build: install ## Build the image for real (buildah, a stand-in base; as root on Debian), run it, tell its size
	@status=0; $(BIN)/python -m tools.image "$(IMAGE_DIR)" || status=$$?; \
	if [ $$status -eq 75 ]; then echo "make image-build: skipped, see above"; exit 0; fi; \
	exit $$status

docs: install ## Write what is generated of docs/, then run the commands that the pages show
	$(BIN)/python -m tools.docs.cli_reference docs/cli.md
	$(BIN)/python -m tools.docs.file_schemas streams/_schemas
	$(PYTEST) tests/docs $(ARGS)

fmt: install ## Format and apply the safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	@if command -v terraform >/dev/null 2>&1; then terraform fmt -recursive manifests/airbyte; fi

# Tracing makes a transform slower by a fifth or more: where real ones are run by the hundred, nothing is measured. Of tests that ARGS
# selects, the first half may hold none (pytest's 5).
MEASURED := tests/contract tests/property tests/unit
test: install ## All tests but the connectors', then the coverage gate, on every processor (JOBS=1: one)
	@status=0; \
	$(MAKE) test-real || status=$$?; \
	$(MAKE) coverage || status=$$?; \
	exit $$status

test-real: install ## The first half of test: all that runs real programs
	@status=0; \
	$(PYTEST) --ignore=tests/connectors --ignore=tests/outside $(MEASURED:%=--ignore=%) $(ARGS) || status=$$?; \
	if [ $$status -eq 5 ] && [ -n '$(ARGS)' ]; then status=0; fi; \
	exit $$status

test-unit: install ## The quick tests: unit and property (ARGS="-k plan")
	$(PYTEST) tests/unit tests/property $(ARGS)

FAULTS ?= --long-faults
# Three environments of 800 MB, installed by uv in a quarter of a minute, side by side.
CONNECTORS_DIR ?= .lotuslake/connectors
test-connectors: install ## Airbyte's real connectors against imitated APIs, into the lake (ARGS="-k shopify")
	@status=0; $(BIN)/python -m tools.connectors "$(CONNECTORS_DIR)" || status=$$?; \
	if [ $$status -eq 75 ]; then echo "make test-connectors: skipped, see above"; exit 0; fi; \
	if [ $$status -ne 0 ]; then exit $$status; fi; \
	CONNECTORS_DIR="$(abspath $(CONNECTORS_DIR))" $(PYTEST) tests/connectors $(ARGS)

test-outside: install ## Files that no one here wrote (OUTSIDE_DATA=FOLDER; without one it says so and goes on)
	@if [ -z "$${OUTSIDE_DATA:-}" ]; then \
		echo "make test-outside: skipped, OUTSIDE_DATA names no folder with files from outside"; exit 0; \
	fi; \
	$(PYTEST) tests/outside $(ARGS)

test-integration: install ## The tests that run real components (ARGS="-x")
	$(PYTEST) tests/contract tests/functional tests/integration $(ARGS)

test-faults: install ## Killed, raced, cut off, fed with rubbish, lost and restored, years of histories: the long form (FAULTS= for the short one)
	$(PYTEST) tests/faults tests/histories tests/drills $(FAULTS) $(ARGS)

keep-lake: install ## A lake as this program leaves it, into tests/lakes: once before each release
	@$(BIN)/python -m tests.lakes

coverage: install ## The second half of test: core and commands at 95 % of branches or more
	$(PYTEST) $(MEASURED) --cov --cov-report= $(ARGS)
	@mkdir -p build
	$(BIN)/coverage report --include='lotuslake/core/*,lotuslake/commands/*'
	@$(BIN)/coverage json --quiet -o build/coverage.json
	@$(BIN)/python .ci/branch_coverage.py build/coverage.json 95 lotuslake/core lotuslake/commands

##@ Speed
.PHONY: bench

BENCH ?= full
bench: install ## Every figure beside its rival, into docs/benchmarks.md (BENCH=quick: a few minutes)
	@$(BIN)/python -m tests.bench $(BENCH)

##@ Subcommands (options and selectors in ARGS)
.PHONY: ingest-check register transform generate-catalog backfill

ingest-check: install ## What is pending, late, overwritten or missing; how fresh
	$(LOTUSLAKE) ingest-check $(ARGS)

register: install ## New files into the landing tables
	$(LOTUSLAKE) register $(ARGS)

transform: install ## Landing into processed, then every stale enriched model
	$(LOTUSLAKE) transform $(ARGS)

generate-catalog: install ## Stream configs into what Airbyte and Terraform need
	$(LOTUSLAKE) generate-catalog $(ARGS)

backfill: install ## History again, for the streams named in ARGS
	$(LOTUSLAKE) backfill $(ARGS)

##@ Housekeeping
.PHONY: lock lock-connectors lock-terraform clean

# The files name no index, so that a mirror serves as well. `git diff` shows what moved.
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url
lock: install ## Resolve requirements.lock, -dev.lock and -build.lock anew
	$(COMPILE) pyproject.toml --group dev --output-file requirements-dev.lock
	$(COMPILE) pyproject.toml --constraints requirements-dev.lock --output-file requirements.lock
	$(COMPILE) --group build --constraints requirements-dev.lock --output-file requirements-build.lock

# Their own versions stand here; faker and klaviyo refuse Python 3.12.
lock-connectors: install ## Resolve tests/connectors/requirements-*.txt anew
	@for connector in faker==7.2.1 klaviyo==2.13.1 shopify==4.3.0; do \
		echo "airbyte-source-$$connector" | $(COMPILE) - --output-file "tests/connectors/requirements-$${connector%%==*}.txt" || exit; \
	done
	@printf '%s\n' 'poetry-core<2' 'setuptools<81' wheel | $(COMPILE) - --output-file tests/connectors/requirements-build.txt

# The runner of tofu-controller, a person's laptop, the CI: the hashes come from the registry, which must be reached.
lock-terraform: ## Write manifests/airbyte/.terraform.lock.hcl anew (commit it)
	terraform -chdir=manifests/airbyte providers lock -platform=linux_amd64 -platform=linux_arm64 -platform=darwin_arm64

clean: ## Remove caches and build output; keeps .venv and .lotuslake
	rm -rf build dist .coverage .coverage.* htmlcov .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find lotuslake tests tools -type d -name __pycache__ -prune -exec rm -rf {} +
