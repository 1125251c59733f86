# `make serve` runs the site, `make test` runs every check, `make bench` measures it beside its peers.
PYTHON ?= python3
BIN = .venv/bin
UV_COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --quiet --upgrade --custom-compile-command "make lock"

.PHONY: serve test bench lock words clean

serve: .venv/site
	@exec $(BIN)/python manage.py serve $(if $(PORT),--port '$(PORT)')

test: .venv/test
	@exec ./.ci/check

bench: .venv/test .venv-bench/bench
	@.venv-bench/bin/python -m tests.bench
	@.venv-bench/bin/python -m tests.bench.engine
	@.venv-bench/bin/python -m tests.bench.loops
	@.venv-bench/bin/python -m tests.bench.history
	@$(BIN)/python -m tests.bench.watching
	@.venv-bench/bin/python -m tests.bench.judge
	@$(BIN)/python -m tests.bench.detection

.venv/bin/python .venv-bench/bin/python:
	@command -v $(firstword $(PYTHON)) >/dev/null \
		|| { echo "There is no $(PYTHON) here; pingsite needs Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "pingsite needs Python 3.11 or newer; say which with make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(@D)/..

.venv/site: requirements.txt | .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/test: requirements-test.txt .venv/site
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv-bench/bench: requirements-bench.txt | .venv-bench/bin/python
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Dependencies are named in pyproject.toml and locked here with their hashes; no download address is written down.
lock: .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(UV_COMPILE) -o requirements.txt
	@$(UV_COMPILE) -c requirements.txt --extra postgres -o requirements-postgres.txt
	@$(UV_COMPILE) -c requirements.txt --extra postgres --group test -o requirements-test.txt
	@$(UV_COMPILE) -c requirements.txt --group bench -o requirements-bench.txt

# Collect the texts to translate, and compile the translations.
words: .venv/site
	@$(BIN)/python manage.py makemessages --locale ko --no-location --no-wrap --no-obsolete --ignore '.venv*'
	@$(BIN)/python manage.py compilemessages --locale ko --ignore '.venv*'

clean:
	@rm -rf .venv .venv-bench
