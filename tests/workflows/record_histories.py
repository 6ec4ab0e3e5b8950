"""`make histories`: run every workflow to every kind of end, and keep the histories that the replay test replays.

Recorded anew only when a change is meant to break running workflows; else the old ones must go on replaying.
"""

import asyncio
import re
import tempfile
from pathlib import Path

from temporalio.client import Client

from continuo.patterns import Call, Fallback, Http, Retry, Template
from continuo.settings import ROOT, Settings
from starters.launch import Handle, result
from tests.support import Control, begin, job, until
from tests.workflows.test_saga import log, order, parked
from tests.world import made
from workers.pool import pool
from workflows.saga import Resolution

HISTORIES = ROOT / "tests" / "histories"
ONCE = Retry(attempts=1)


def portable(history: str) -> str:
    """The history without what only this machine could know: the paths in its stack traces, the names of hosts."""
    history = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', history)
    return re.sub(r'"\d+@[^"]*"', '"worker"', history)


async def keep(name: str, handle: Handle) -> None:
    history = await handle.fetch_history()
    (HISTORIES / f"{name}.json").write_text(portable(history.to_json()) + "\n", encoding="utf-8")
    print(f"{name}: {len(history.events)} events")


async def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with made(Path(folder)) as world, pool(world.client, Settings(), "standard", 30):
            await record(world.client, world.simulator, world.shop)


async def record(client: Client, simulator: Control, shop: Control) -> None:
    async def ended(name: str, handle: Handle) -> None:
        await result(handle)
        await keep(name, handle)

    await simulator.behave("sim-premium", status=503)
    await simulator.behave("sim-mini", latency=60)
    answers, fails, hangs = (Call(model=name, retry=ONCE) for name in ("mid", "premium", "mini"))
    sorry = Template(text="Sorry.")
    await ended("call-answered", await begin(client, job(answers)))
    await ended("call-failed", await begin(client, job(fails)))
    await ended("template", await begin(client, job(sorry)))
    await ended("fallback-second-tier", await begin(client, job(Fallback(steps=(fails, answers)))))
    await ended("fallback-exhausted", await begin(client, job(Fallback(steps=(fails, fails)))))
    child = answers.model_copy(update={"isolate": True})
    await ended("fallback-child", await begin(client, job(Fallback(steps=(fails, child)))))
    limited = job(hangs)
    context = limited.context.model_copy(update={"deadline": 0.5})
    await ended("call-deadline", await begin(client, limited.model_copy(update={"context": context})))
    reserve = Http(service="inventory", path="/reservations/{order_id}", method="PUT")
    await ended("http", await begin(client, order().model_copy(update={"step": reserve})))
    await ended("saga-done", await begin(client, order()))
    await ended("saga-compensated", await begin(client, order(country="AQ")))

    cancelled = await begin(client, job(Fallback(steps=(hangs, answers))))
    await until(lambda: simulator.calls("sim-mini"))
    await cancelled.cancel()
    await ended("fallback-cancelled", cancelled)

    await shop.put("/_faults/shipping", method="PUT", count=1, status=None, latency=60)
    halted = await begin(client, order())
    await until(lambda: _length_is(halted, 2))
    await halted.cancel()
    await ended("saga-cancelled", halted)

    await shop.put("/_faults/payment", method="DELETE", count=100, status=500)
    waiting = await begin(client, order(undo_attempts=1, country="AQ"))
    await parked(waiting, "charge payment")
    resolution = Resolution(step="charge payment", decision="skip", by="ada")
    await waiting.execute_update("resolve", resolution)
    await ended("saga-parked", waiting)


async def _length_is(handle: Handle, length: int) -> bool:
    return len(await log(handle)) == length


if __name__ == "__main__":
    asyncio.run(main())
