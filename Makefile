# The commands for developers and CI. The first use creates the environment .venv, and a change of
# pyproject.toml updates it. Requires Python 3.11 and make; on Debian, also python3-venv.

PYTHON ?= python3
TEST_OPTIONS ?= -q -n 2
FUZZ_OPTIONS ?=
BENCH_OPTIONS ?=
COVERED_BY := $(addprefix tests/,wire protocol core transcripts client reading query sasl test_records.py)
SERVERS ?= dovecot cyrus cyrus-bpo courier dovecot-next
PYTHONS ?= .pythons

VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
# The demo uses the development environment if it exists, and otherwise the smaller `cli`.
DEMO_ENVIRONMENT := $(if $(wildcard $(VENV)/installed-dev),dev,cli)

.PHONY: help demo test servers pythons test-pythons check coverage bench bench-search fuzz docs dist clean

help:
	@echo "make demo      back up a mailbox of an embedded server, and verify it"
	@echo "make servers   install the IMAP servers of the live tests (Debian; root or sudo)"
	@echo "make test      all tests; live ones skip without their server"
	@echo "make check     format, lint, types, layers, generated files, coverage"
	@echo "make docs      the manual, in build/docs"
	@echo "make dist      sdist and wheel, checked and tried, in dist"
	@echo "make pythons   install the newest Pythons in a chroot (Debian; root or sudo)"
	@echo "make test-pythons   the offline tests, and their own imaplib suites, on those"
	@echo "make bench | bench-search | fuzz | clean"

demo: $(VENV)/installed-$(DEMO_ENVIRONMENT)
	$(BIN)/imaplus demo

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest $(TEST_OPTIONS)

servers:
	$(SUDO) $(PYTHON) lab/imap-lab install $(SERVERS)

# Not used by CI, which uses the Pythons that are installed.
pythons:
	command -v debootstrap || $(SUDO) apt-get install -y debootstrap
	$(SUDO) tools/pythons.sh install $(PYTHONS)

test-pythons:
	@test -e $(PYTHONS)/installed || $(MAKE) pythons
	$(SUDO) tools/pythons.sh test $(PYTHONS) $(TEST_OPTIONS)

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict src
	cd lab && ../$(BIN)/mypy --cache-dir ../.mypy_cache --strict --scripts-are-modules imap-lab mailgen.py
	$(BIN)/pyright
	$(BIN)/python tools/public_types.py
	$(BIN)/python -m pytest -q tests/test_layers.py
	$(BIN)/python tools/gen_sync.py --check
	$(MAKE) coverage

# Measure the coverage of the clients and the core by their offline tests. pyproject.toml has the
# minimum; `.venv/bin/coverage report -m` lists uncovered lines.
coverage: $(VENV)/installed-dev
	$(BIN)/python -m pytest $(TEST_OPTIONS) --hypothesis-profile=coverage --cov --cov-report= $(COVERED_BY)

bench: $(VENV)/installed-dev
	@command -v dovecot >/dev/null || [ -x /usr/sbin/dovecot ] || $(MAKE) servers SERVERS=dovecot
	$(BIN)/python bench/run.py $(BENCH_OPTIONS)

# Compare the index with mu and notmuch (Debian: maildir-utils, notmuch).
bench-search: $(VENV)/installed-dev
	$(BIN)/python bench/searching.py $(BENCH_OPTIONS)

fuzz: $(VENV)/installed-dev
	@set -e; for harness in $(wildcard fuzz/*.py); do \
		echo "== $$harness"; $(BIN)/python $$harness $(FUZZ_OPTIONS); \
	done

docs: $(VENV)/installed-dev
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet --builder html docs build/docs
	@echo "build/docs/index.html"

dist: $(VENV)/installed-dev
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/python tools/try_dist.py dist/*

clean:
	rm -rf $(VENV) build dist .lab .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV) || { $(SUDO) apt-get update && $(SUDO) apt-get install -y python3-venv && $(PYTHON) -m venv --clear $(VENV); }

$(VENV)/installed-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	@touch $@
