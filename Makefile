# Everything from a fresh machine with python3 (3.11 or newer) and make:
#   make demo    set up, then take real seed data through the whole lifecycle on the embedded model
#   make test    set up, then lint, type-check and test

PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Else every process compiles what it imports anew where Python may write no bytecode: half a second of each start.
export UV_COMPILE_BYTECODE := 1

.PHONY: setup demo test test-long lint format docs bench audit up clean help

help:  ## List the targets.
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/ready  ## Set up, and nothing else.

demo: .venv/ready  ## Set up, then run the main job with the embedded model.
	$(BIN)/everspring demo

test: .venv/tested lint  ## Set up, then lint, type-check and run every test.
	$(BIN)/pytest -n 2 --dist loadgroup

test-long: .venv/tested  ## Run the tests that take minutes each: runners on clusters, full disks, wrong clocks.
	$(BIN)/pytest -m long

lint: .venv/tested  ## Check form, types, and that the generated pages are up to date.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/everspring methods --markdown | diff -u tasks/METHODS.md - || (echo "tasks/METHODS.md: out of date; run make docs" && false)
	EVERSPRING_HOME=build/reference $(BIN)/everspring tables --markdown | diff -u docs/tables.md - || (echo "docs/tables.md: out of date; run make docs" && false)

format: .venv/tested  ## Put every file into form.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/ready  ## Write the generated pages anew.
	$(BIN)/everspring methods --markdown > tasks/METHODS.md
	EVERSPRING_HOME=build/reference $(BIN)/everspring tables --markdown > docs/tables.md

bench: .venv/tested  ## Measure speed and memory, beside what one would use instead.
	$(BIN)/python tests/benchmarks/run.py

audit: .venv/tested  ## List known faults of the dependencies, and write the bill of materials to build/sbom.json.
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --group audit
	@mkdir -p build
	$(BIN)/cyclonedx-py environment --output-reproducible --output-format JSON --output-file build/sbom.json
	@$(BIN)/python -m infra.audit

up: .venv/ready  ## Serve Prefect's and MLflow's pages until interrupted.
	$(BIN)/everspring up

clean:  ## Remove the virtual environment and caches; the home folder .everspring stays.
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One dependency compiles a little C. apt brings a compiler where it may; elsewhere say what is missing.
.venv/ready: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || (echo "$(PYTHON): not found, Python 3.11 or newer is wanted; install it or set PYTHON=" && false)
	@command -v cc >/dev/null || sh infra/debian.sh gcc python3-dev
	@command -v bwrap >/dev/null || sh infra/debian.sh bubblewrap || echo "programs run under pydantic-monty then"
	@test -e /usr/share/wordnet/data.noun || sh infra/debian.sh wordnet-base || echo "raw.wordnet cannot be made then"
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh infra/debian.sh python3-venv
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip uv --constraint constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable .
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --group data
	@$(BIN)/python -m compileall -q flows tasks quality catalog infra
	@touch $@

.venv/tested: .venv/ready
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --group dev
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --group trainers
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || sh infra/debian.sh postgresql || true
	@touch $@
