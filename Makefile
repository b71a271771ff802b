# valetkey: two commands on a fresh machine (python3 >= 3.11 and make): `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.stamp
CASES  ?= 100000
PAIRS  ?= 20000
TRUSTS ?= 20000
DAYS   ?= 180
# Compiled modules are kept also where the environment says not to: thousands of short processes run here.
unexport PYTHONDONTWRITEBYTECODE
# Every extra but aws-login (the tests hold what is said where it is missing) and spark (half a gigabyte, decision 0048).
EXTRAS := $(addprefix --extra ,activity age demo dev sandbox sql)

.PHONY: demo test rewritten quick check fmt bench engines peers differential mutants live facts size structure schemas lock clean

demo: $(STAMP)
	@$(BIN)/valetkey demo $(DEMO)

test: $(STAMP)
	@$(MAKE) --no-print-directory -j2 check rewritten
	@$(BIN)/python -m pytest -n 4 --dist worksteal $(PYTEST)

# pytest rewrites every `assert` once and keeps the result: here, on the core that mypy leaves idle, instead of in each worker.
rewritten: $(STAMP)
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null || true

# While you work: the unit tests that take no seconds, on as many workers.
quick: $(STAMP)
	@$(BIN)/python -m pytest -n 4 --dist worksteal -q -m "not slow" tests/unit $(PYTEST)

check: $(STAMP)
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo >/dev/null || $(BIN)/lint-imports

fmt: $(STAMP)
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(STAMP)
	@$(BIN)/python -m bench

# AWS CLI v2, Terraform and the AWS SDK for JavaScript, for the tests of the contractor's programs (tests/peers).
peers: $(STAMP)
	@$(BIN)/python -m tests.peers

# Spark (with Java) and pysail (without), each in a venv of its own, and trailscraper for the benchmark: 1.2 GB.
engines: .engines/.stamp
.engines/.stamp: tools/engines-sail.lock tools/engines-spark.lock tools/engines-trailscraper.lock
	@rm -rf .engines && mkdir .engines
	@for each in sail spark trailscraper; do \
	  $(PYTHON) -m venv .engines/$$each && .engines/$$each/bin/python -m pip install --quiet \
	    --disable-pip-version-check --require-hashes -r tools/engines-$$each.lock || exit 1; done
	@touch $@

differential: $(STAMP)
	@$(BIN)/python -m tests.differential.proofs --pairs $(PAIRS)
	@$(BIN)/python -m tests.differential.trusts --trusts $(TRUSTS)
	@$(BIN)/python -m tests.differential --cases $(CASES)

# 100 changes of the code, one at a time: do the unit tests of the room notice? Up to 40 minutes on two cores.
mutants: $(STAMP) .mutants/.stamp
	@.mutants/bin/python tools/mutants.py $(MUTANTS)

.mutants/.stamp: tools/mutants.lock
	@rm -rf .mutants && $(PYTHON) -m venv .mutants
	@.mutants/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/mutants.lock
	@touch $@

# A run on two real accounts (docs/live-run.md): asks before it starts, and removes what it made.
live: $(STAMP)
	@$(BIN)/python -m tools.live --owner "$(OWNER)" --contractor "$(CONTRACTOR)" $(LIVE)

# Before a release: which of the facts about AWS (docs/aws-facts.md) have to be read again.
facts:
	@$(PYTHON) tools/facts.py --today "$$(date -u +%Y-%m-%d)" --days $(DAYS)

size:
	@$(PYTHON) tools/size.py

# Floors and circles of the rooms, and what four commands enter; ROOT=DIR measures another checkout.
structure: $(STAMP)
	@$(BIN)/python tools/structure.py $(if $(ROOT),--root "$(ROOT)")

# Everything is pinned with hashes in requirements.lock; the project itself goes in without dependencies.
$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("valetkey needs Python 3.11 or later; set PYTHON=python3.x" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "python3 has no ensurepip: install it first (Debian, Ubuntu: apt-get install python3-venv)"; exit 1; }
	@echo "setting up $(VENV) (once; about a minute)"
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The JSON Schemas of what --json prints; a test fails when they are not up to date.
schemas: $(STAMP)
	@$(BIN)/python -m tools.schemas

# uv resolves for every platform and Python at once; it is needed only to change the lock.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes $(EXTRAS) --no-emit-index-url --custom-compile-command "make lock" -o requirements.lock pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -o tools/mutants.lock tools/mutants.in
	for each in sail spark trailscraper; do \
	  uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -o tools/engines-$$each.lock tools/engines-$$each.in || exit 1; done

clean:
	rm -rf $(VENV) .engines .mutants .peers tests/peers/node_modules dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
