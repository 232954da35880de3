# Two commands do everything on a fresh machine: `make run` and `make test`.
# Each installs into .venv what it needs, once. PYTHON=... chooses the interpreter of a new .venv.

BIN := .venv/bin
SETUP := sh .ci/setup

.PHONY: run test check lint types floors audit bench peers figures soak release schemas clean

# The scripts run on .venv's Python: a fresh machine need not have another one on its PATH.
run: .venv/.installed-run
	@WORKFLOW_SIDECAR_PYTHON="$${WORKFLOW_SIDECAR_PYTHON:-$(BIN)/python}" \
		$(BIN)/workflow-sidecar run renderer-demo/report-on-this-repository.yaml

test: lint types floors check

.venv/.installed-run: pyproject.toml .ci/setup
	@$(SETUP) run

.venv/.installed-test: pyproject.toml .ci/setup
	@$(SETUP) test

lint: .venv/.installed-test
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet

types: .venv/.installed-test
	@$(BIN)/mypy --no-error-summary

floors: .venv/.installed-test
	@$(BIN)/lint-imports > .venv/floors.log 2>&1 || { cat .venv/floors.log; exit 1; }

# Branch coverage of sidecar/ and protocol/ is what the tests' own process runs of them; daemons that
# tests start are what users start, and not slowed down by being measured.
check: .venv/.installed-test
	@$(BIN)/coverage run -m pytest --durations=10
	@$(BIN)/coverage report

# One table of figures, also as build/bench/figures.json and cost.svg; nothing asserted. BENCH=WORD
# takes only the benchmarks with that in their name.
bench: .venv/.installed-test
	@$(BIN)/python -m tests.performance $(BENCH)

# The same work on other engines, which it installs into build/peers first.
peers: .venv/.installed-test
	@$(BIN)/python -m tests.performance.peers $(PEERS)

# Asks the online databases of advisories about everything installed; needs a network.
audit: .venv/.installed-test
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install --quiet "pip-audit>=2.7"
	@$(BIN)/pip-audit --local --skip-editable

# The last figures of both, as a page of the documentation.
figures: .venv/.installed-test
	@$(BIN)/python -m tests.performance.document

# The counts that take minutes.
soak: .venv/.installed-test
	@SOAK=1 $(BIN)/python -m pytest -m soak --durations=10

# What is published, built into dist/ and checked: the descriptions, the size, wheels for all.
release: .venv/.installed-test
	@$(BIN)/python -m tests.release

# protocol/generated/ from the models.
schemas: .venv/.installed-test
	@$(BIN)/python -m protocol.generate

clean:
	rm -rf .venv .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
