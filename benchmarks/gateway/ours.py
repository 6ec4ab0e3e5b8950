"""Continuo's gateway, with its own Temporal server and a pool."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from benchmarks.gateway.contestant import Contestant
from benchmarks.keys import new_key
from continuo.config.settings import environment
from continuo.testing.processes import TemporalServer, pool_process, running
from continuo.workers.local.ports import listening
from continuo.workers.local.processes import Child, module

CALL = "{kind: call, model: sim-mid}"
DOWN = "{kind: call, model: sim-mini, retry: {attempts: 1}}"
"""Another provider's: a breaker is a provider's, and this one opens."""
PATTERNS = {"remembered": f"{{kind: cached, step: {CALL}}}", "tiers": f"{{kind: fallback, steps: [{DOWN}, {CALL}]}}"}


@asynccontextmanager
async def ours(folder: Path, upstream: str) -> AsyncIterator[Contestant]:
    async with AsyncExitStack() as resources:
        temporal = TemporalServer(folder)
        await temporal.start()
        resources.push_async_callback(temporal.stop)
        patterns = folder / "patterns"
        patterns.mkdir()
        for name, pattern in PATTERNS.items():
            (patterns / f"{name}.yaml").write_text(f"description: measured\npattern: {pattern}\n", encoding="utf-8")
        os.environ |= {
            "TEMPORAL_ADDRESS": temporal.address,
            "CONTINUO_DATA": str(folder / "data"),
            "CONTINUO_PATTERNS": str(patterns),
            "CONTINUO_SIM_URL": upstream,
        }
        pool = await resources.enter_async_context(running(pool_process("standard", folder / "pool.log")))
        socket = resources.enter_context(listening(0, "gateway"))
        line = module("continuo", "gateway", "--socket", str(socket.fileno()))
        gateway = Child("gateway", line, folder / "gateway.log", "gateway ready", os.environ, sockets=[socket])
        secret = await new_key(environment(), name="benchmark", tenant="acme")
        await gateway.start()
        resources.push_async_callback(gateway.stop)
        url = f"http://127.0.0.1:{socket.getsockname()[1]}/v1"
        yield Contestant("Continuo", url, secret, (temporal.child.pid, pool.pid, gateway.pid))


def stored(folder: Path) -> int:
    """Bytes of all that is kept."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".log")
