# Peerwatt: `make demo` runs the whole system, `make test` passes every test. Both install what they need into .venv.
SHELL := /bin/bash
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OTHER := Name another with: make PYTHON=python3.12 demo
DEMO_ARGS ?=
PYTEST_ARGS ?=
ROOM ?=
MUTATION_ARGS ?=

# A process that crashed is not replaced: the others would wait for its files for ever
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --max-worker-restart 0
TOOK = echo "$@ took $$((SECONDS / 60)) min $$((SECONDS % 60)) s"

.PHONY: help demo test check docs format programs reproduce validator web bench clean
.PHONY: test-edge test-hub test-programs test-web test-sim test-anywhere test-crash test-outage test-random test-mutation
.PHONY: check-edge check-hub check-programs check-web check-sim

demo: $(VENV)/.demo hub/static/index.html ## runs the whole system on embedded parts and prints the URL
	@exec $(BIN)/peerwatt-hub demo $(DEMO_ARGS)

help: ## says what each target does
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | column -t -s '|'

test: check ## every check and every test
	@SECONDS=0; $(PYTEST) $(PYTEST_ARGS) && $(TOOK)

check: $(VENV)/.dev hub/static/index.html ## linters, types, contracts between rooms, generated files
	@$(BIN)/python .ci/check.py

# A room with its own tests only: nothing is built or checked that the room does not use.
test-edge: check-edge ## the agent: checks and tests
	@SECONDS=0; $(PYTEST) tests/edge $(PYTEST_ARGS) && $(TOOK)
test-hub: check-hub ## the hub: checks and tests, pages left out
	@SECONDS=0; $(PYTEST) tests/hub tests/contract $(PYTEST_ARGS) && $(TOOK)
test-programs: check-programs ## the five programs: checks and tests
	@SECONDS=0; $(PYTEST) tests/programs $(PYTEST_ARGS) && $(TOOK)
test-web: check-web hub/static/index.html ## the web app: checks, and its pages in a browser
	@SECONDS=0; $(PYTEST) tests/web $(PYTEST_ARGS) && $(TOOK)
test-sim: check-sim ## the simulator: checks and tests
	@SECONDS=0; $(PYTEST) tests/sim $(PYTEST_ARGS) && $(TOOK)
check-edge check-hub check-programs check-web check-sim: check-%: $(VENV)/.dev
	@$(BIN)/python .ci/check.py $*

test-mutation: $(VENV)/.dev ## slow: ROOM=edge changes 100 places of a room at random; at least 90 % must be noticed
	@SECONDS=0; PYTHONPATH=tests $(BIN)/python -m support.mutation $(ROOM) $(MUTATION_ARGS) && $(TOOK)

test-crash: $(VENV)/.dev ## slow: settlement and deployment are killed, and RPC nodes fail at random
	@SECONDS=0; PEERWATT_KILLS=200 PEERWATT_MIXTURES=20 $(BIN)/python -m pytest -s -m "slow or not slow" \
	    -k "killed or mixture" tests/hub/settlement/test_kills.py tests/hub/settlement/test_faults.py \
	    tests/hub/chain/test_deployment.py $(PYTEST_ARGS) && $(TOOK)

test-outage: $(VENV)/.dev ## slow: the hub, then the network, is away for twelve days that pass faster
	@SECONDS=0; PEERWATT_OUTAGE_HOURS=288 $(PYTEST) -s -n0 tests/acceptance/test_outage.py $(PYTEST_ARGS) && $(TOOK)

test-anywhere: $(VENV)/.dev hub/static/index.html ## slow: every test ten times in random order, with a third of the processor time
	@SECONDS=0; .ci/anywhere $(PYTEST) $(PYTEST_ARGS) && $(TOOK)

test-random: $(VENV)/.dev ## slow: random lives of certificates and of a campus beside plain models, 100,000 steps each
	@SECONDS=0; PEERWATT_LIVES=2000 $(BIN)/python -m pytest -s --timeout 0 tests/programs/test_*_random.py \
	    $(PYTEST_ARGS) && $(TOOK)

docs: $(VENV)/.dev ## writes settings and flags in docs/reference, and the tables of figures from docs/figures
	$(BIN)/python -m docs.reference.generate

format: $(VENV)/.dev ## puts Python into the form that the checks want
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

programs: $(VENV)/.dev ## rebuilds the five programs and compares them with the committed files
	programs/toolchain/build

reproduce: ## slow: builds the programs twice from nothing, in two folders; both must give the committed bytes
	@SECONDS=0; programs/toolchain/reproduce && $(TOOK)

validator: $(VENV)/.dev ## slow: deployment, conformance and settlement on Agave's validator; writes docs/validator.md
	@SECONDS=0; $(BIN)/python -m bench.validator && $(TOOK)

web: ## builds the web app into hub/static
	@rm -f hub/static/index.html && $(MAKE) hub/static/index.html

bench: $(VENV)/.dev ## measures, and prints each figure with the machine
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
