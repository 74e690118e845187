# The door: `make up` and `make test` are the only set-up a fresh machine needs (Python 3.11 or later, git, make).
# A virtual environment is made in .venv where none is active, from hashed locks, and kept while they stay the same.
# ARGS reaches the command: make up ARGS="--target docker" · make test ARGS="-k funding" · make bench ARGS="up"

PYTHON ?= python3
VENV   := $(or $(VIRTUAL_ENV),.venv)
BIN    := $(VENV)/bin
LOCKED := $(shell { cat requirements.lock pyproject.toml; echo "$(CURDIR)"; } | cksum | cut -d ' ' -f 1)
DEV    := $(shell { cat requirements.lock requirements-dev.lock pyproject.toml; echo "$(CURDIR)"; } | cksum | cut -d ' ' -f 1)
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
HAVE_PIP = $(BIN)/python -c 'import pip' 2>/dev/null || $(BIN)/python -m ensurepip >/dev/null
COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-index-url --no-emit-find-links

# A test run starts `cartridge` a thousand times; compiled anew each time, that is minutes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up test bench lint format docs lock-python clean
.DEFAULT_GOAL := up

up: $(VENV)/.run-$(LOCKED)  ## a funded Lightning pair
	@$(BIN)/cartridge up $(ARGS)

test: lint  ## everything that must hold before a merge
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

bench: $(VENV)/.dev-$(DEV)  ## the numbers, into benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks $(ARGS)

lint: $(VENV)/.dev-$(DEV)  ## format, style, types, layers, spelling
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo && $(BIN)/codespell

docs: $(VENV)/.dev-$(DEV)  ## write again what is generated from the code
	@$(BIN)/python -m docs.generate $(ARGS)

format: $(VENV)/.dev-$(DEV)  ## mend what can be mended by a machine
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format .

lock-python: $(VENV)/.dev-$(DEV)  ## resolve the Python dependencies again (ARGS=--upgrade for the newest)
	@$(PIP) install 'pip-tools==7.6.2'
	@$(COMPILE) --build-deps-for editable --output-file requirements.lock $(ARGS) pyproject.toml
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' \
		| $(COMPILE) --constraint requirements.lock --output-file requirements-dev.lock $(ARGS) -

clean:  ## remove what the tools left (not .cartridge/, which may hold a running stack)
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/.run-$(LOCKED): | $(BIN)/python
	@echo "installing what \`cartridge\` needs into $(VENV)" >&2
	@$(HAVE_PIP)
	@$(PIP) install --require-hashes -r requirements.lock && $(PIP) install --no-deps --no-build-isolation -e . && touch $@

$(VENV)/.dev-$(DEV): | $(BIN)/python
	@echo "installing what the tests need into $(VENV)" >&2
	@$(HAVE_PIP)
	@$(PIP) install --require-hashes -r requirements.lock -r requirements-dev.lock && $(PIP) install --no-deps --no-build-isolation -e . \
		&& touch $@ $(VENV)/.run-$(LOCKED)

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "error: \`$(PYTHON)\` was not found; install Python 3.11 or later, or name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 3; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: \`$(PYTHON)\` is older than 3.11; name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 3; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: \`$(PYTHON)\` cannot make virtual environments; on Debian or Ubuntu: apt install python3-venv" >&2; exit 3; }
	@$(PYTHON) -m venv $(VENV)
