# `make demo` and `make test` do all the set-up on a fresh machine.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DATA   ?= ../shared/data

.PHONY: demo test test-all browser lint types imports bench docs clean

demo: $(VENV)/.core
	$(BIN)/modelshelf warm
	$(BIN)/modelshelf tune --example digits --time 30s
	$(BIN)/modelshelf shelf

# Two processes on two cores: threads of scikit-learn's would wait for each other.
test: $(VENV)/.dev browser lint types imports
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 -m "not slow" -q

test-all: $(VENV)/.dev browser lint types imports
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .[dev,keras,learn]
	MODELSHELF_DATA=$(DATA) $(BIN)/pytest -n 2 -q

# Pages are opened in Chromium, from Debian's packages; where it is not to be had, that is skipped.
browser:
	@command -v chromium > /dev/null || { apt-get update -qq && \
	  apt-get install -y -qq --no-install-recommends chromium; } > /dev/null 2>&1 || \
	  echo "Chromium is not to be had here: tests of pages are skipped."

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python bench/engine.py

clean:
	rm -rf $(VENV) .modelshelf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build

$(VENV)/.core: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@
