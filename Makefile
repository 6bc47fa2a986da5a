# For everyone: `make demo` shows it, `make test` proves it, `make bench` measures it. They need python3 (3.11 or later)
# and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BENCH_INSTALLED := $(VENV)/.installed-bench

.DEFAULT_GOAL := test
.PHONY: demo test bench format clean

demo: $(INSTALLED)
	$(BIN)/python demo/onboarding.py

test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest --cov --cov-report=term-missing:skip-covered

# A quarter of an hour and four gigabytes of disk for a while; `make bench QUICK=1` takes two minutes and writes nothing.
bench: $(BENCH_INSTALLED)
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

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
