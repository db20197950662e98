# Rampdeck. `make demo` and `make test` do all the set-up; `make help` lists the rest.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
# The tests start hundreds of programs, each of which would compile the tree anew.
unexport PYTHONDONTWRITEBYTECODE
# One for each core: tests of a whole world start a dozen processes, and a world that lags behind its own clock fails them.
JOBS   ?= $(shell getconf _NPROCESSORS_ONLN)

BIN   := $(VENV)/bin
READY := $(VENV)/.ready
CODE  := console stages widgets

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format types contracts deps bench docs lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

# The versions come from uv.lock with their hashes; plain pip installs them, so that pip's own index settings hold.
$(READY): pyproject.toml uv.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rampdeck needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip uv
	UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv export --quiet --frozen --group dev --no-emit-project --output-file $(VENV)/locked.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement $(VENV)/locked.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

setup: $(READY) ## make the virtual environment and install everything in it

demo: $(READY) ## the whole product on a demo world (ARGS="--scenario calm")
	$(BIN)/rampdeck demo $(ARGS)

test: $(READY) ## all tests (ARGS="tests/unit -k ledger")
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: lint types contracts deps test ## everything that must hold before a commit

lint: $(READY) ## style and banned calls
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## put the code into its style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## strict types
	$(BIN)/mypy

contracts: $(READY) ## which package may import which
	$(BIN)/lint-imports

deps: $(READY) ## declared dependencies are the used ones
	$(BIN)/deptry $(CODE)

bench: $(READY) ## benchmarks, as ratios (ARGS are handed to each)
	set -e; for each in tests/benchmarks/bench_*.py; do $(BIN)/python -m tests.benchmarks.$$(basename $$each .py) $(ARGS); done

docs: $(READY) ## draw the reference pages, the completion scripts and the pictures anew
	$(BIN)/python -m console.reference
	$(BIN)/python -m console.completion.draw
	$(BIN)/python -m tests.screens.draw_pictures

lock: $(READY) ## renew uv.lock after a change of dependencies
	$(BIN)/uv lock

clean: ## remove the virtual environment and all caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks dist
