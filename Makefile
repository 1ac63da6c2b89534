# Everything a person or a machine starts here. Needs CPython 3.11 or later, make and a network (or a filled cache).
# ARGS="…" is passed on: make demo ARGS="--port 9000", make test ARGS="-k licenses".

export UV_PYTHON_DOWNLOADS = never
export UV_SYSTEM_CERTS = true

PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	$$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$candidate && break; done)
RUNTIME := .venv/installed-$(shell cksum < requirements.lock | tr ' ' -)
DEVELOPMENT := .venv/installed-dev-$(shell cksum < requirements-dev.lock | tr ' ' -)

.PHONY: setup demo serve test lint bench

setup: $(DEVELOPMENT)  ## the virtual environment with all that demo, test and lint need
	@echo "Ready: make demo, make serve, make test." >&2

demo: $(or $(wildcard $(DEVELOPMENT)),$(RUNTIME))  ## a filled installation that a simulated Entra provisions
	@exec .venv/bin/python manage.py demo $(ARGS)

serve: $(or $(wildcard $(DEVELOPMENT)),$(RUNTIME))  ## the embedded installation, without sample data
	@exec .venv/bin/python manage.py serve $(ARGS)

test: $(DEVELOPMENT)  ## all that continuous integration checks; ARGS go to pytest
	@exec .ci/checks test $(ARGS)

lint: $(DEVELOPMENT)  ## the checks that run no test
	@exec .ci/checks lint

bench: $(DEVELOPMENT)  ## the figures of docs/performance.md
	@exec .venv/bin/python -m tests.bench $(ARGS)

$(RUNTIME):
	@.ci/install requirements.lock $@ $(PYTHON)

$(DEVELOPMENT):
	@.ci/install requirements-dev.lock $@ $(PYTHON)
