# For everyone: `make demo` shows it, `make test` proves it, `make bench` measures it. They need python3 (3.11 or later)
# and make. What is installed from a wheel is compiled where it can be: `make compiled-test` proves that, and `make bench`
# measures it; these two need a C compiler as well.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BENCH_INSTALLED := $(VENV)/.installed-bench
COMPILED := build/compiled
COMPILED_INSTALLED := $(COMPILED)/.installed
SOURCES := $(shell find src compiling -name '*.py') pyproject.toml

.DEFAULT_GOAL := test
.PHONY: demo test compiled-test bench format clean

demo: $(INSTALLED)
	$(BIN)/python demo/onboarding.py

test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest --cov --cov-report=term-missing:skip-covered

# The same tests, but for the doctests, on what a wheel holds.
compiled-test: $(INSTALLED) $(COMPILED_INSTALLED)
	PYTHONPATH=$(abspath $(COMPILED)) $(BIN)/pytest tests

# A quarter of an hour and four gigabytes of disk for a while; `make bench QUICK=1` takes two minutes and writes nothing.
# INTERPRETED=1 measures the sources as they are, for machines without a C compiler.
bench: $(BENCH_INSTALLED) $(if $(INTERPRETED),,$(COMPILED_INSTALLED))
	$(if $(INTERPRETED),,PYTHONPATH=$(abspath $(COMPILED))) $(BIN)/python -m benchmarks $(if $(QUICK),--quick)

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("scimcore needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

# pip knows dependency groups since 25.1.
$(BENCH_INSTALLED): $(INSTALLED) pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	touch $@

$(COMPILED_INSTALLED): $(INSTALLED) $(SOURCES)
	rm -rf $(COMPILED)
	SCIMCORE_BUILD=compiled $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(COMPILED) .
	touch $@
