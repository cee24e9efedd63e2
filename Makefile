# Burgee: `make help` lists what there is.
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3 2>/dev/null))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PROTOS := $(sort $(shell find protos -name '*.proto'))
GENERATE := $(BIN)/python protos/generate.py

.DEFAULT_GOAL := help
.PHONY: help setup run test soak demo proto lint check bench lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=/path/to/python3.11"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --disable-pip-version-check -e '.[server,openfeature,dev]'
	@touch $@

setup: $(STAMP) ## create .venv and install everything into it

run: $(STAMP) ## start the server on ./burgee-data
	@exec $(BIN)/burgee serve --data burgee-data

test: $(STAMP) ## run all tests but the long proofs
	$(BIN)/python -m pytest -n auto --dist worksteal

soak: $(STAMP) ## run the long proofs: kills, power loss, faults, fuzz (hours)
	$(BIN)/python -m pytest -m soak
	EXAMPLES=105 $(BIN)/python -m pytest -m 'hypothesis and not soak'

demo: $(STAMP) ## play 90 days of a B2B product on a throw-away server
	@$(BIN)/burgee demo

proto: $(STAMP) ## generate the stubs from protos/
	$(GENERATE)

lint: $(STAMP) ## ruff, mypy, import-linter, buf
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/buf lint protos

check: lint ## lint, and fail if the committed stubs are not those of protos/
	$(GENERATE) --check

bench: $(STAMP) ## install the SDKs to compare with, run the benchmarks and print their tables
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python -m benchmarks

lock: $(STAMP) ## pin the newest versions into constraints.txt
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --no-emit-index-url --no-header --python-version 3.11 --upgrade --quiet -o constraints.txt

clean: ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
