# Two commands for a stranger: `make up` and `make test`. Everything else is for people at work here.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
INSTALLED := $(VENV)/.installed
# uv trusts the certificates that the machine trusts, as pip and npm do.
export UV_SYSTEM_CERTS := true

# A virtual environment holds paths: one that was made elsewhere is made again.
ifneq ($(CURDIR),$(shell cat $(INSTALLED) 2>/dev/null))
.PHONY: $(INSTALLED)
endif

.DEFAULT_GOAL := help
.PHONY: help install up demo down test check fix docs bench lock clean

help:            ## Show this.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## */\t/' | expand -t 12

install: $(INSTALLED)  ## Install into .venv, from the lock files.

$(INSTALLED): requirements.lock pyproject.toml package-lock.json hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=python3.12"; exit 1; }
	@echo "Installing into $(VENV), from the lock files."
	@test ! -s $(INSTALLED) || test "$$(cat $(INSTALLED))" = "$(CURDIR)" || rm -rf $(VENV)
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || { sed -n '/^uv==/,/# via/p' requirements.lock >$(VENV)/uv.lock \
	  && $(BIN)/pip install -qq --require-hashes -r $(VENV)/uv.lock; }
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@echo "$(CURDIR)" >$@

up: install      ## Start Steerway, deploy the example shop, print where to look.
	@$(BIN)/python examples/shop/story.py up

demo: install    ## Play the whole story: good and bad releases, rollback, crash, recovery.
	@$(BIN)/python examples/shop/story.py demo

down:            ## Stop everything that `make up` started.
	@if test -x $(BIN)/steerway; then $(BIN)/steerway down; else echo "Nothing is installed here."; fi

test: install    ## Run every test; says which were left out, and why.
	@sh tests/run.sh

check: install   ## What a commit must pass: format, lint, types, layers, fast tests.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q -n auto -m "not journey and not browser"

fix: install     ## Format, and mend what the linter can.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: install    ## Write the generated reference.
	@$(BIN)/python -m steerway.app.reference docs/reference

bench: install   ## Print the measured claims, each beside its peer.
	@missed=; for file in benchmarks/bench_*.py; do PYTHONPATH=. $(BIN)/python $$file || missed="$$missed $$file"; done; \
	  test -z "$$missed" || { echo "Not within their bounds:$$missed"; exit 1; }

lock: install    ## Resolve the dependencies again.
	@$(BIN)/uv pip compile pyproject.toml --group dev --generate-hashes --universal \
	  --python-version 3.11 --no-emit-index-url --no-header --quiet --upgrade -o requirements.lock
	@npm install --package-lock-only --ignore-scripts --no-audit --no-fund \
	  --omit-lockfile-registry-resolved

clean: down      ## Stop everything and remove what was installed and built here.
	@rm -rf $(VENV) node_modules build dist var .mypy_cache .ruff_cache .pytest_cache \
	  .import_linter_cache .hypothesis src/steerway/platform/web/static/vendor
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
