# Peerwatt: `make demo` runs the whole system, `make test` passes every test. Both install what they need into .venv.
SHELL := /bin/bash
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OTHER := Name another with: make PYTHON=python3.12 demo
DEMO_ARGS ?=
PYTEST_ARGS ?=

.PHONY: demo test kills lives check docs format programs reproduce validator web bench clean

demo: $(VENV)/.demo hub/static/index.html ## the whole system on embedded parts; prints the URL
	@exec $(BIN)/peerwatt-hub demo $(DEMO_ARGS)

test: check ## every test
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

kills: $(VENV)/.dev ## slow: a settling process is killed 200 times and more, and RPC nodes fail at random
	PEERWATT_KILLS=200 PEERWATT_MIXTURES=20 $(BIN)/python -m pytest -s -k "killed or mixture" \
	    tests/hub/settlement/test_kills.py tests/hub/settlement/test_faults.py $(PYTEST_ARGS)

lives: $(VENV)/.dev ## random lives of certificates and of a whole campus beside plain models: 100,000 steps each
	PEERWATT_LIVES=2000 $(BIN)/python -m pytest -s --timeout 0 tests/programs/test_*_random.py $(PYTEST_ARGS)

check: $(VENV)/.dev hub/static/index.html ## linters, types, contracts between packages
	@$(BIN)/python .ci/check.py

docs: $(VENV)/.dev ## writes docs/reference from the descriptions of settings and flags
	$(BIN)/python -m docs.reference.generate

format: $(VENV)/.dev
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

programs: $(VENV)/.dev ## rebuilds the five programs and compares them with the committed files
	programs/toolchain/build

reproduce: ## slow: builds the programs twice from nothing, in two folders; both must give the committed bytes
	programs/toolchain/reproduce

validator: $(VENV)/.dev ## slow: deployment, conformance and settlement on Agave's validator; writes docs/validator.md
	$(BIN)/python -m bench.validator

web: ## builds the web app into hub/static
	@rm -f hub/static/index.html && $(MAKE) hub/static/index.html

bench: $(VENV)/.dev
	@set -e; for script in bench/*.py; do echo "== $$script"; $(BIN)/python "$$script" --json; done

clean: ## what was built, never what was measured or stored
	rm -rf $(VENV) hub/static hub/web/node_modules programs/target .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Peerwatt needs Python 3.11 or newer; there is no $(PYTHON). $(OTHER)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v >= (3, 11) else "Peerwatt needs Python 3.11 or newer; %s is %d.%d. $(OTHER)" % ((sys.executable,) + v))'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[edge,hub,sim]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --wheel-dir $(VENV)/wheels '.[edge]' # for tests/test_packaging.py
	@rm -rf $(VENV)/wheels/peerwatt-* ; touch $@ $(VENV)/.demo

WEB_SOURCES := $(shell find hub/web -path hub/web/node_modules -prune -o -type f -print 2>/dev/null) hub/api/openapi.json
hub/static/index.html: $(WEB_SOURCES) | $(VENV)/bin/python
	@$(VENV)/bin/python hub/web/build.py
