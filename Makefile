# The words of this project: the same here, in the README and in CI. Paths are relative, so that the
# folder may have any name.
.PHONY: help serve demo test check bench proof lock clean
.DEFAULT_GOAL := help

# The system's own interpreter, where it is new enough and can make virtual environments: Debian builds it
# with profiles, so that an image takes a tenth less of a processor than with one built without.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo /usr/bin/python3 || echo python3)
BIN := .venv/bin

help:  ## What can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

serve: .venv/ready  ## Start the archive (DIAFANA_* in the environment are its settings)
	@exec $(BIN)/diafana serve

demo: .venv/ready  ## Send example studies to the running service
	@$(BIN)/python -m testdata.demo $(ARGS)

test: check .venv/programs  ## Check, then run every test
	$(BIN)/python -m pytest -n 4 --dist loadgroup $(ARGS)

check: .venv/ready-for-tests  ## The rules that a machine checks: style, types, rooms and arrows, sizes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/house

bench: .venv/ready-for-tests  ## Measure side by side with the peer, and write docs/benchmarks.md
	$(BIN)/python -m bench $(ARGS)

proof: .venv/ready-for-tests .venv/programs  ## The long proofs of durability (root, about ten minutes)
	DIAFANA_PROOF=long $(BIN)/python -m pytest -v tests/proofs $(ARGS)

lock:  ## Pin the newest versions of all packages in constraints.txt
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q --upgrade --no-header --no-annotate --python-version 3.11 \
		--group check --group test --group build pyproject.toml -o constraints.txt

clean:  ## Remove everything that make made; the data stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The service: virtual environment and pinned packages.
.venv/ready: pyproject.toml constraints.txt
	@echo "Setting up: virtual environment and packages (a minute, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Diafana needs Python 3.11 or newer")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt pip hatchling editables
	@$(BIN)/python -m pip install -q --no-build-isolation -c constraints.txt -e .
	@touch $@

# What the tests and checks need on top.
.venv/ready-for-tests: .venv/ready
	@$(BIN)/python -m pip install -q -c constraints.txt --group check --group test
	@touch $@

# DCMTK, Chromium and the like, from Debian when root; validators and a client of FHIR from npm.
.venv/programs: .ci/programs $(wildcard tests/*/package-lock.json) | .venv/ready
	@.ci/programs
	@touch $@
