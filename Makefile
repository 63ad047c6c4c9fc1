# Every command of this project. `make` alone lists them.

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
UV_VERSION := 0.13.8
STAGE ?= prod
# Processes that share the tests, up to four: as many as there are cores, and one more where tests wait for a stack.
# WORKERS=0 runs the tests in one process.
CORES = $(shell getconf _NPROCESSORS_ONLN)
PYTEST = $(BIN)/python -m pytest --maxprocesses=4
# The operators' commands inspect the stack on this machine unless STAGE is given.
RUNNING = $(if $(filter file,$(origin STAGE)),local,$(STAGE))
# The newest Python that both Chalice and Lambda support.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$name && break; done)

# Python prints a traceback for a Ctrl-C that comes while it starts. A blocked signal waits until the program takes it.
QUIETLY = $(shell env --block-signal=INT true 2>/dev/null && echo env --block-signal=INT)

.DEFAULT_GOAL := help
.PHONY: help venv run deploy-local localstack-check stop logs clean test test-fast ui-test pictures check types packaged template audit weaknesses vulnerabilities secrets format contract bench bench-cold cost simulate faults fuzz doctor smoke replay dead-letters keys migrate history package deploy adopt destroy chalice-local lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# uv installs in seconds, pip takes a minute; so uv is installed if it is missing. uv ignores pip's configuration, so pip
# takes over if uv cannot reach the packages. The stamp is written last: an interrupted installation starts again.
$(VENV)/installed: requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=..." >&2; exit 1; }
	@echo "Installing into $(VENV) with $(PYTHON) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@command -v uv >/dev/null || $(PIP) uv==$(UV_VERSION)
	@PATH="$(BIN):$$PATH" uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt \
		|| { echo "uv failed; trying pip ..."; $(PIP) -r requirements-dev.txt; }
	@touch $@

# The client is installed from its sources, for the tests, the checks and the tools.
$(VENV)/client-installed: $(VENV)/installed client/pyproject.toml
	@$(PIP) --no-deps --no-build-isolation --editable client
	@touch $@

venv: $(VENV)/client-installed ## install the locked packages into .venv

# The lock files hold every transitive package with its hashes, for all supported versions of Python. The deployed code
# takes the versions that the tests run with.
LOCK_ONE = uv pip compile --quiet --generate-hashes --custom-compile-command "make lock"
LOCK = $(LOCK_ONE) --universal --python-version 3.11 $(if $(UPGRADE),--upgrade)
lock: venv ## write requirements*.txt from requirements*.in: UPGRADE=1 takes the newest transitive packages
	@export PATH="$(BIN):$$PATH"; $(LOCK) requirements-dev.in --output-file requirements-dev.txt \
		&& $(LOCK) requirements.in --constraint requirements-dev.txt --output-file requirements.txt \
		&& $(LOCK) requirements-audit.in --output-file requirements-audit.txt \
		&& $(LOCK_ONE) --python-version 3.13 --exclude-newer 2026-03-10 requirements-localstack.in --output-file requirements-localstack.txt

run: venv ## start the whole system on this machine; Ctrl-C stops it
	@exec $(QUIETLY) $(BIN)/python -m infra.local run

deploy-local: venv ## deploy to an emulator that runs already: AWS_ENDPOINT_URL=http://localhost:4566 DATABASE_URL=...
	@$(BIN)/python -m infra.local deploy

# LocalStack 4.14.0 needs Python 3.13. Docker is not needed: its functions alone run there.
LOCALSTACK := build/localstack-venv
LOCALSTACK_PYTHON ?= $(shell command -v python3.13)
$(LOCALSTACK)/installed: requirements-localstack.txt | venv
	@test -n "$(LOCALSTACK_PYTHON)" || { echo "LocalStack needs Python 3.13; name it with LOCALSTACK_PYTHON=..." >&2; exit 1; }
	@echo "Installing LocalStack into $(LOCALSTACK) ..."
	@$(LOCALSTACK_PYTHON) -m venv --clear $(LOCALSTACK)
	@command -v $(BIN)/uv >/dev/null || $(PIP) uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --require-hashes --python $(LOCALSTACK)/bin/python -r requirements-localstack.txt
	@touch $@

localstack-check: venv $(LOCALSTACK)/installed ## run what LocalStack's last free version serves, from PyPI and without Docker
	@$(BIN)/python -m infra.local.localstack $(LOCALSTACK)/bin/python

stop: venv ## stop a running system
	@$(BIN)/python -m infra.local stop

logs: venv ## follow the logs of a running system
	@$(BIN)/python -m infra.local logs

clean: ## stop, and delete all data and build products
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m infra.local clean; fi
	@rm -rf build .chalice/deployments .coverage htmlcov .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

test: venv ## run all tests, and hold branch coverage to its floor
	@$(PYTEST) -n $(or $(WORKERS),$(shell expr $(CORES) + 1)) --cov --cov-report=

test-fast: venv ## run the tests that need no running stack, in about three minutes
	@$(PYTEST) -n $(or $(WORKERS),$(CORES)) -m "not stack and not exhaustive"

ui-test: venv ## run the tests of the page in a browser alone: HEADED=1 shows it, ONLY=text picks tests by their names
	@$(if $(HEADED),HEADED=1) $(PYTEST) -n $(or $(WORKERS),$(if $(HEADED),0,2)) --dist loadfile tests/ui tests/e2e/page $(if $(ONLY),-k "$(ONLY)")

pictures: venv ## take the pictures of the README
	@$(BIN)/python -m tests.ui.pictures

# The slow checks run side by side: each keeps one core busy, or waits for the network.
check: venv ## run the checks of CI: lint, format, types, layers, template, supply chain
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory --jobs types template audit

types: venv
	$(BIN)/mypy

# Two checks read the template, and only one may write it.
packaged: venv
	$(BIN)/python -m infra.aws.package --stage prod

template: packaged
	$(BIN)/cfn-lint -t build/prod/template.json

# The tools of the audit pin other versions of the engine's own packages, so they have an environment of their own.
AUDIT := build/audit-venv
$(AUDIT)/installed: requirements-audit.txt
	@$(BIN)/python -m venv --clear $(AUDIT)
	@command -v $(BIN)/uv >/dev/null || $(PIP) uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --require-hashes --python $(AUDIT)/bin/python -r requirements-audit.txt \
		|| { echo "uv failed; trying pip ..."; $(AUDIT)/bin/python -m pip install --quiet --require-hashes -r requirements-audit.txt; }
	@touch $@

# The samples of the documents and tests have these passwords. Random characters alone say nothing here: mints and
# signatures are full of them. Names of variables are judged by ruff (S105 to S107).
NO_SECRETS := ^(test|password|secret|hunter[0-9](%zz)?)$$
FIND_SECRETS = $(AUDIT)/bin/detect-secrets-hook --no-verify --plugin infra/audit/engine_keys.py \
	--disable-plugin Base64HighEntropyString --disable-plugin HexHighEntropyString --disable-plugin KeywordDetector \
	--exclude-secrets '$(NO_SECRETS)'
FILES_OF_GIT = git ls-files -coz --exclude-standard -- . ':!requirements*.txt' 2>/dev/null
FILES_WITHOUT_GIT = find . \( -name '.?*' -a -type d -o -name build -o -name __pycache__ \) -prune \
	-o -type f ! -name '.env' ! -name 'requirements*.txt' -print0
audit: weaknesses vulnerabilities secrets ## check the template for weaknesses, the packages for vulnerabilities, the files for secrets

weaknesses: packaged $(AUDIT)/installed
	$(AUDIT)/bin/checkov --config-file infra/aws/checkov.yaml --file build/prod/template.json

vulnerabilities: venv $(AUDIT)/installed
	$(BIN)/python -m infra.audit.advisories $(AUDIT)/bin/pip-audit

secrets: venv $(AUDIT)/installed
	@echo "Looking for secrets ..."
	@($(FILES_OF_GIT) || $(FILES_WITHOUT_GIT)) | xargs -0 $(FIND_SECRETS)

format: venv ## format the code
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

bench: venv ## measure throughput, latency and cost: PARTS="engine streams" picks some, BASE=HEAD~1 compares, FULL=1
	@$(BIN)/python -m tests.bench $(if $(PARTS),--only $(PARTS)) $(if $(BASE),--base $(BASE)) $(if $(FULL),--full)

bench-cold: venv ## measure a cold start against its bare dependencies: BASE=HEAD~1 compares
	@$(BIN)/python -m tests.bench --only cold $(if $(BASE),--base $(BASE))
cost: venv ## measure what an order costs, and price it: WRITE=1 writes docs/scaling.md, MACHINE=1 measures CPU and Postgres
	@$(BIN)/python -m tests.cost $(if $(WRITE),--write) $(if $(MACHINE),--machine)

simulate: venv ## simulate the way of an order beside the engine and a stack, then at scale: WRITE=1, STACK=0
	@$(BIN)/python -m tests.scale $(if $(WRITE),--write) $(if $(filter 0,$(STACK)),--no-stack)

faults: venv ## run the fault trials at length: TRIALS="burst poison" picks some
	@$(BIN)/python -m tests.faults $(TRIALS)

fuzz: venv ## send random requests to a stack for an hour, half of them by schemathesis: MINUTES=5 for less
	@$(BIN)/python -m tests.fuzz $(if $(MINUTES),--minutes $(MINUTES))

doctor: venv ## check every order against the invariants; of a deployment: STAGE=prod
	@$(BIN)/python -m infra.ops.doctor --stage $(RUNNING)

smoke: venv ## drive the stack from outside: orders, a socket, an amendment, refusals; a deployment: STAGE=prod
	@$(BIN)/python -m infra.ops.smoke --stage $(RUNNING)

replay: venv ## compute an order's quotes, signature and outcome again: ORDER=id; of a deployment: STAGE=prod
	@test -n "$(ORDER)" || { echo "Name the order: make replay ORDER=id" >&2; exit 2; }
	@$(BIN)/python -m infra.ops.replay --stage $(RUNNING) "$(ORDER)"

dead-letters: venv ## list the dead letters; of a deployment: STAGE=prod
	@$(BIN)/python -m infra.ops.dead_letters list --stage $(RUNNING)

keys: venv ## list the API keys; make or revoke one: DO="create --user U --scopes read,trade", DO="revoke ID"; STAGE=prod
	@$(BIN)/python -m infra.ops.keys $(or $(DO),list) --stage $(RUNNING)

migrate: venv ## migrate the database at DATABASE_URL, or that of a deployment: STAGE=prod
	@$(BIN)/python -m infra.ops.migrate --stage $(RUNNING)

history: venv ## add and list the months of events in Postgres: DO="partitions --keep 12 --drop" drops old ones, DO=rebuild records what Postgres lacks; STAGE=prod
	@$(BIN)/python -m infra.ops.history $(DO) --stage $(RUNNING)

contract: venv ## write the documents of the contract, the reference page and the Postman collection; BASE=v0.2.0 only reports what breaks clients of that revision
	@$(BIN)/python -m infra.contract$(if $(BASE),.compatibility --base $(BASE))

package: venv ## package for AWS: STAGE=prod
	@$(BIN)/python -m infra.aws.package --stage $(STAGE)

deploy: venv ## deploy to AWS after a question, YES=1 without: STAGE=prod DATABASE_SECRET=name (or DATABASE_URL=...)
	@$(BIN)/python -m infra.aws.deploy --stage $(STAGE)

adopt: venv ## make a stack of the tables that a deleted one left: STAGE=prod
	@$(BIN)/python -m infra.aws.adopt --stage $(STAGE)

# No default: a deletion names its stage.
destroy: venv ## delete a stack on AWS, and say what that leaves: STAGE=dev
	@test "$(origin STAGE)" != file || { echo "Name the stage: make destroy STAGE=dev" >&2; exit 2; }
	@$(BIN)/python -m infra.aws.destroy --stage $(STAGE)

chalice-local: venv ## serve the HTTP routes with reload against a running system: LOCAL_PORT=8001
	@exec $(BIN)/python -m infra.local chalice
