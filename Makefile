# Everything that is done with this project, each thing by one command. `make` alone lists them.

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
UV_VERSION := 0.13.8
STAGE ?= prod
# Processes that share the tests: as many as there are cores, up to four. WORKERS=0 runs them in one process.
WORKERS ?= logical
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses=4
# What looks into a running system looks at the one on this machine, unless a stage is named.
RUNNING = $(if $(filter file,$(origin STAGE)),local,$(STAGE))
# The newest Python that Chalice and Lambda both know.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$name && break; done)

.DEFAULT_GOAL := help
.PHONY: help venv run stop logs clean test test-fast check format bench faults doctor dead-letters migrate package deploy chalice-local

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# uv installs in seconds what takes pip a minute, so it is fetched where there is none; where it cannot reach
# the packages (it does not read pip's configuration), pip does it. The stamp comes last: an installation that
# was broken off is done again.
$(VENV)/installed: requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=..." >&2; exit 1; }
	@echo "Installing into $(VENV) with $(PYTHON) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@command -v uv >/dev/null || $(PIP) uv==$(UV_VERSION)
	@PATH="$(BIN):$$PATH" uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt \
		|| { echo "uv could not; trying pip ..."; $(PIP) -r requirements-dev.txt; }
	@touch $@

venv: $(VENV)/installed ## install everything into .venv

run: venv ## start the whole system on this machine; Ctrl-C stops it
	@exec $(BIN)/python -m infra.local run

stop: venv ## stop a running system
	@$(BIN)/python -m infra.local stop

logs: venv ## follow what a running system logs
	@$(BIN)/python -m infra.local logs

clean: ## stop, and delete all data and everything built
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m infra.local clean; fi
	@rm -rf build .chalice/deployments .coverage htmlcov .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

test: venv ## run all tests, and hold branch coverage to its floor
	@$(PYTEST) --cov --cov-report=

test-fast: venv ## run the tests that need no running stack, in under a minute
	@$(PYTEST) -m "not stack and not exhaustive"

check: venv ## what CI checks: lint, format, types, layers, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict app.py chalicelib infra
	$(BIN)/lint-imports
	$(BIN)/python -m infra.package --stage prod
	$(BIN)/cfn-lint -t build/prod/template.json

format: venv ## put the code in shape
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

bench: venv ## measure throughput, latency and cost: PARTS="sustained engine ticks snipers" picks some
	@$(BIN)/python -m tests.bench $(if $(PARTS),--only $(PARTS))

faults: venv ## break everything on purpose, at length: TRIALS="burst poison" picks some
	@$(BIN)/python -m tests.faults $(TRIALS)

doctor: venv ## judge every order of the running system by the invariants; of a deployment: STAGE=prod, DATABASE_URL=...
	@$(BIN)/python -m infra.doctor --stage $(RUNNING)

dead-letters: venv ## list what no queue could deliver; of a deployment: STAGE=prod, DATABASE_URL=...
	@$(BIN)/python -m infra.dead_letters list --stage $(RUNNING)

migrate: venv ## bring the database at DATABASE_URL to the newest schema
	@$(BIN)/python -m chalicelib.history.migrate

package: venv ## package for AWS: STAGE=prod
	@$(BIN)/python -m infra.package --stage $(STAGE)

deploy: venv ## deploy to AWS: STAGE=prod, DATABASE_URL=...
	@$(BIN)/python -m infra.deploy --stage $(STAGE)

chalice-local: venv ## serve the HTTP routes with reload against the running system: LOCAL_PORT=8001
	@exec $(BIN)/python -m infra.local chalice
