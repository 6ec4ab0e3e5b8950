# Every target sets up what it needs: a virtual environment here, and the Temporal server in the user's cache.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Much of the time of the tests is waiting for servers: parts of them run at once, each with servers of its own.
# Where one part dies, the run ends: the others would wait for it without end. What fails is tried once more, since a busy
# machine can be late for a real server; it is listed, and counted in the last line.
SIDE_BY_SIDE := --dist loadfile --no-loadscope-reorder --max-worker-restart 0 --durations 15 --reruns 1 --rerun-show-tracebacks
# The files that have any: to read all the others would take a minute of it.
CHAOS = $(shell grep -rl --include='test_*.py' 'mark\.chaos' tests | sort)
LOCKED := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

# The sandbox imports the workflows anew for each run: without their bytecode it would compile them as often.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo dev test chaos clients bench bench-gateway bench-guardrails cluster load failover evidence wheel lint setup lock histories

demo: setup  ## watch real requests run durably
	$(BIN)/continuo dev --supervise -- $(BIN)/continuo demo

dev: setup  ## the same stack, kept running
	$(BIN)/continuo dev

test: setup lint  ## lint, types and tests
	$(BIN)/pytest $(SIDE_BY_SIDE) --numprocesses 3 --ignore-glob '*_chaos.py'

chaos: setup  ## the longer randomised fault suites
	$(BIN)/pytest -m chaos $(SIDE_BY_SIDE) --numprocesses 2 $(CHAOS)

clients: setup  ## other people's clients, straight at a provider and through the gateway
	$(BIN)/pytest -m clients

bench: setup  ## side by side with bare Temporal
	$(BIN)/python -m benchmarks

bench-gateway: setup  ## the gateway beside LiteLLM's, which is installed into the user's cache
	$(BIN)/python -m benchmarks.gateway

bench-guardrails: setup  ## recognisers of personal data beside Presidio's, which is installed into the user's cache
	$(BIN)/python -m benchmarks.guardrails
	$(BIN)/python -m benchmarks.guardrails.edge

cluster: setup  ## the processes of docker-compose.yml on loopback, without a container engine, until Ctrl-C
	@$(BIN)/python -m benchmarks.cluster

load: setup  ## that cluster under a mixed load, while each of its parts is killed once; LOAD=--quick takes a minute
	$(BIN)/python -m benchmarks.cluster.load $(LOAD)

failover: setup  ## two such regions, of which the first is lost; at most three minutes
	$(BIN)/python -m benchmarks.cluster.failover

evidence: setup  ## the claims of the patterns, measured into docs/evidence.md; CONTINUO_EVIDENCE names public tables
	$(BIN)/python -m benchmarks.evidence

wheel: .venv/ready  ## into dist/, to be installed elsewhere
	$(BIN)/hatchling build --target wheel

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: .venv/ready
	@$(BIN)/python -m continuo.workers.local.temporal_server

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer with its venv module; install one, or make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lock:  ## needs uv; hashes, and no index's address
	uv pip compile pyproject.toml --group dev $(LOCKED) --upgrade --output-file requirements.lock
	uv pip compile pyproject.toml --group build --extra eval --extra language --extra mcp --extra oidc --extra parquet \
		$(LOCKED) --constraints requirements.lock --output-file requirements-image.lock

histories: setup  ## record the histories that tests/workflows/test_replay.py replays
	$(BIN)/python -m tests.workflows.record_histories
