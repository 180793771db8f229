# Sets up its own environment in .venv; needs only make and Python 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: run test test-slow check bench screenshots format clean
.DEFAULT_GOAL := run

run: $(READY)  ## the planner in the browser
	@$(BIN)/python -m planner

test: $(READY)  ## all tests but the slow ones
	$(BIN)/pytest -q -n 2 -m "not slow"

test-slow: $(READY)  ## the tests that take minutes
	$(BIN)/pytest -q -n 2 -m slow

check: $(READY)  ## style, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## speed and memory
	$(BIN)/python -m benchmarks

screenshots: $(READY)  ## pictures of every page, into docs/images (needs Chromium)
	@$(BIN)/python -m benchmarks.screenshots

format: $(READY)  ## rewrites the files in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## removes the environment and everything made
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || \
	  { echo "Python is missing. Install it (Debian: apt install python3 python3-venv) or say make PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; this is $$($(PYTHON) --version 2>&1). Say make PYTHON=/path/to/python3.11."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing. Install it (Debian: apt install python3-venv)."; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
