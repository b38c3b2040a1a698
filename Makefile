# Everything a person or a machine does with a clone. Only Python 3.11 or newer with venv is needed.
#   make demo    a page with a bot, from nothing          make test   all tests (make lint beside it)
#   make prove   the proofs in full                       make bench  the timings
#   make hunt SECONDS=…  new seeds of the simulation for so long, on all cores
#   make proofs  writes docs/proofs.md from the figures of docs/proofs.json
#   make graph   who imports whom                         make bench-compare OTHER=path  the timings beside another checkout's
#   make bench-peers  the timings beside those of other libraries, which it installs
#   make bench-documents  how well real documents are answered
#   make build   the wheel and its source, in dist/        make docs   the documentation site, in site/
# Options go into ARGS: make demo ARGS="--docs handbook", make test ARGS="tests/web -k readyz".

PYTHON ?= python3
ARGS ?=
JOBS ?= 4
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
COMPILE := $(BIN)/python -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

# 5 is pytest's word for: none of the tests that ARGS names is of this half.
PROVE = BOT_PROVE=1 $(BIN)/python -m pytest -q $(1) $(ARGS) || [ $$? -eq 5 ]

# How long to hunt. Not from the environment: bash has a variable of that name.
SECONDS =

# Another checkout of the project, for bench-compare.
OTHER ?=

.PHONY: demo test prove hunt proofs bench bench-compare bench-peers bench-documents graph lint lock build docs clean

demo: .venv/.installed
	@exec $(BIN)/uppzy-bot demo $(ARGS)

test: .venv/.installed-tests
	@env -u BOT_PROVE -u BOT_BENCH $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal $(ARGS)

prove: .venv/.installed-tests
	@$(call PROVE,-n $(JOBS) --dist worksteal -m "prove and not alone")
	@$(call PROVE,-p no:xdist -m "prove and alone")

# What it finds is written under hunts/, a folder for each hunt. --record in ARGS adds its figures to docs/proofs.json.
hunt: .venv/.installed-tests
	@test -n "$(SECONDS)" || { echo "Say for how long: make hunt SECONDS=600" >&2; exit 1; }
	@exec $(BIN)/python -m tests.simulation.hunt $(SECONDS) $(ARGS)

proofs: .venv/.installed-tests
	@$(BIN)/python -m tests.proofs

bench: .venv/.installed-tests
	@BOT_BENCH=1 $(BIN)/python -m pytest -q -s -p no:xdist -m bench $(ARGS)

bench-compare: .venv/.installed-tests
	@test -n "$(OTHER)" || { echo "Name the other checkout: make bench-compare OTHER=path" >&2; exit 1; }
	@$(BIN)/python -m tests.benchmarks.compare "$(OTHER)" $(ARGS)

bench-peers: .venv/.installed-tests
	@$(BIN)/python -m tests.benchmarks.peers $(ARGS)

bench-documents: .venv/.installed-tests
	@$(BIN)/python -m tests.benchmarks.documents $(ARGS)

graph: .venv/bin/python
	@$(BIN)/python -m tests.graph $(ARGS)

lint: .venv/.installed-tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

lock: .venv/bin/python
	@$(PIP) install uv
	@$(COMPILE) pyproject.toml -o requirements.lock
	@$(COMPILE) --group build -c requirements.lock -o build.lock
	@$(COMPILE) --group docs -c requirements.lock -o docs/requirements.lock
	@$(COMPILE) pyproject.toml --all-extras --group dev -c requirements.lock -c build.lock -o tests/requirements.lock

# Two files to give to others: dist/*.whl (with its SBOM) and dist/*.tar.gz.
build: .venv/.installed
	@rm -rf dist
	@$(BIN)/python -m hatchling build

# Not --quiet: then it overlooks dead links, too.
docs: .venv/docs/.installed
	@NO_MKDOCS_2_WARNING=1 .venv/docs/bin/mkdocs build --clean

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Making .venv …" >&2
	@$(PYTHON) -m venv .venv \
	  || { rm -rf .venv; echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }

# The project itself is linked, not copied: a change of the code needs no new installation.
.venv/.installed: requirements.lock build.lock pyproject.toml | .venv/bin/python
	@echo "Installing what the bot needs, once …" >&2
	@.ci/install requirements.lock build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# The generator of the site lives apart: nothing of it is needed to run or to test.
.venv/docs/.installed: docs/requirements.lock | .venv/bin/python
	@echo "Installing what the documentation needs, once …" >&2
	@$(BIN)/python -m venv .venv/docs
	@.venv/docs/bin/python -m pip --disable-pip-version-check --no-input --quiet install --no-deps --require-hashes -r docs/requirements.lock
	@touch $@

.venv/.installed-tests: tests/requirements.lock .venv/.installed
	@echo "Installing what the tests need, once …" >&2
	@.ci/install tests/requirements.lock
	@touch $@
