# `make up` runs the example on a real cluster of this machine, `make check` runs the tests that need none, and
# `make test` runs all of them.
# CLUSTER=current uses your own pulumi and kube context instead and starts nothing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
CLUSTER ?= sandbox
STACK ?= dev
WORKERS ?= 4

ifeq ($(CLUSTER),current)
cluster:
	@command -v pulumi >/dev/null || { echo "CLUSTER=current needs pulumi on PATH: see https://www.pulumi.com/docs/install/" >&2; exit 1; }
	@command -v kubectl >/dev/null || { echo "CLUSTER=current needs kubectl on PATH and a kube context" >&2; exit 1; }
# Without a registry of your own the example's image is the public one.
ENV := export PATH="$(CURDIR):$$PATH" PULUMI_PARALLEL="$${PULUMI_PARALLEL:-64}" \
	SANDBOX_REGISTRY="$${SANDBOX_REGISTRY:-library}"
HEAL := true
EXTRAS :=
else
cluster:
	@$(PYTHON) -m sandbox up
ENV := eval "$$($(PYTHON) -m sandbox env)"
EXTRAS := servers
# An update that was killed leaves a lock and pending operations; on the sandbox's own stack they are cleared.
HEAL := { pulumi cancel --yes --stack $(STACK) >/dev/null 2>&1 || true; } && \
	if pulumi stack export --stack $(STACK) | grep -q '"pending_operations": \['; then \
	pulumi refresh --yes --skip-preview --stack $(STACK) --clear-pending-creates; fi
endif

.PHONY: help up preview destroy down env check tests test e2e lint dist docs extras servers soak bench cluster
help: ## what can be made
	@grep -hE '^[a-z0-9]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

up: .venv/.ready cluster ## set everything up and run the example's tasks
	@$(ENV); pulumi stack select --create $(STACK); $(HEAL); pulumi up --yes --stack $(STACK)

preview: .venv/.ready cluster ## show what `make up` would do
	@$(ENV); pulumi stack select --create $(STACK); pulumi preview --stack $(STACK)

destroy: .venv/.ready cluster ## delete the stack's resources, runs and logs
	@$(ENV); $(HEAL); pulumi destroy --yes --stack $(STACK)

down: ## stop the sandbox and remove it, with the state of its stacks
	@$(PYTHON) -m sandbox down
	@rm -rf .pulumi-state

env: ## print export lines: eval "$$(make -s env)"
	@$(PYTHON) -m sandbox env

check: .venv/.ready ## check what needs no cluster: style, types, imports, tests
	@$(MAKE) --no-print-directory -j 2 lint tests

# Two workers more than there are processors: some tests wait. What is compiled is kept, for all of them and for the
# programs that they start, also where the environment says otherwise.
tests: .venv/.ready
	PYTHONDONTWRITEBYTECODE= .venv/bin/pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 2)) --dist worksteal --ignore tests/e2e --ignore tests/sandbox --cov

test: check e2e ## run all tests

e2e: .venv/.ready cluster ## run the tests on the cluster; PYTEST="tests/e2e/test_life.py -k adopt" chooses
	@$(ENV); .venv/bin/pytest -n $(WORKERS) --dist worksteal $(or $(PYTEST),tests/e2e tests/sandbox tests/plugin/test_schema.py tests/plugin/test_dotnet.py)

soak: .venv/.ready cluster ## run the tests that take too long for every change
	@$(ENV); .venv/bin/pytest -m "soak or footprint" $(PYTEST)

bench: .venv/.ready cluster ## measure beside peers, into bench/RESULTS.md
	@$(ENV); .venv/bin/python -m bench

lint: .venv/.ready ## check style, types and the direction of imports
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# What mypy knows of a module it knows by its content: each checkout of a user starts with what another has found out.
lint: export MYPY_CACHE_DIR ?= $(shell cache=$${XDG_CACHE_HOME:-~/.cache}/kf-tasks/mypy; \
	mkdir -p "$$cache" 2>/dev/null && test -w "$$cache" && echo "$$cache" || echo .mypy_cache)

dist: .venv/.ready ## build wheel and sdist, into dist/
	@rm -rf dist
	.venv/bin/python -m build

extras: .venv-policies/.ready $(EXTRAS) ## build .venv-policies for the policy pack, the servers of the examples, language hosts

servers: .venv/.ready
	@.venv/bin/python -m sandbox extras
	@.venv/bin/python -m sandbox hosts

.venv-policies/.ready: pyproject.toml
	@$(PYTHON) -m venv .venv-policies
	@.venv-policies/bin/pip install --quiet --disable-pip-version-check $$($(PYTHON) -c 'import tomllib; \
		print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["policies"])')
	@.venv-policies/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

docs: .venv/.ready ## build the documentation, into site/
	.venv/bin/mkdocs build --strict

.venv/.ready: pyproject.toml requirements.txt requirements-dev.txt sandbox/constraints.txt
	@$(PYTHON) -m venv .venv || { apt-get update -q && apt-get install -yq python3-venv && $(PYTHON) -m venv .venv; }
	@.venv/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt \
		$(if $(filter sandbox,$(CLUSTER)),-c sandbox/constraints.txt)
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .venv/oldest \
		"$$(.venv/bin/python -m tests.package.test_oldest_sdk)"
	@touch $@
