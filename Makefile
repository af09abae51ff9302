# Two commands set everything up: `make demo` and `make test`. See README.md.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test coverage up check migration lock bench fuzz clean

demo: $(READY)  ## real mails walk through the SOP, with everything simulated around it
	$(BIN)/python -m tests.demo

# three processes on two cores: a third of the slow files' time is waiting
test: $(READY)  ## every test, with real servers and a real browser; three files at a time
	$(BIN)/python -m tests.needs
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=20

coverage: $(READY)  ## the same, with what the tests run; half as long again
	$(BIN)/python -m tests.needs
	$(BIN)/coverage erase
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

up: $(READY)  ## the service itself, until Ctrl-C
	$(BIN)/layanan up

check: $(READY)  ## lint, format, types, import directions, the SOP's index
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.sop_index
	$(BIN)/python -m tests.house

migration: $(READY)  ## after a change of models/tables.py: make migration WHAT="what changed"
	$(BIN)/python -m migrations "$(WHAT)"

bench: $(READY)  ## figures of the engine, as ratios
	$(BIN)/python -m bench.engine

fuzz: $(READY)  ## 20,000 mutated mails through the parser
	$(BIN)/python -m tests.fuzz

lock:  ## write requirements.lock anew from pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --upgrade --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) .layanan

# Debian's python3 comes without venv
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	    || { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; \
	  $(PYTHON) -m venv $(VENV); }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
