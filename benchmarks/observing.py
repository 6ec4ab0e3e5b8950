"""What it costs to be observed: metrics that are scraped, and traces that are sent."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import httpx
from rich.table import Table

from benchmarks.configuration import MODEL
from benchmarks.measure import Run, compared
from benchmarks.processes import processor_seconds
from benchmarks.stage import PROMPT, Stage
from continuo.config.settings import Settings
from continuo.jobs import Priority
from continuo.observing.exposition import free_address
from continuo.patterns import Call
from continuo.testing.processes import job, pool_process, running

SCRAPED = 5.0
"""Seconds between two looks at the metrics: three times as often as Prometheus looks by default."""

AIM = "aim: 0.97 of the throughput at least"


async def observing(stage: Stage, *, rounds: int, singles: int, many: int) -> Table:
    """The same call on two pools that take turns: one that nobody observes, and one with metrics and traces.

    Neither is the stage's own, which keeps the table of runs as well."""

    def asking(priority: Priority) -> Run:
        call = job(Call(model=MODEL), PROMPT, priority=priority)

        async def run() -> object:
            return await stage.outcome(call.asking(f"{PROMPT} {uuid4()}"))

        return run

    contestants = {"not": asking("critical"), "metrics and traces": asking("batch")}
    async with AsyncExitStack() as resources:
        collector = await resources.enter_async_context(_collecting())
        slots = {f"CONTINUO_{name}_SLOTS": f"{Settings().standard_slots}" for name in ("CRITICAL", "BATCH")}
        plain = pool_process("critical", Settings().data / "unobserved.log", **slots)
        observed = _observed("batch", slots | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector})
        pids = [
            (await resources.enter_async_context(running(plain))).pid,
            await resources.enter_async_context(observed),
        ]
        await compared(contestants, rounds=1, singles=3, many=min(many, 40))  # warm up
        before = [processor_seconds(pid) for pid in pids]
        figures = await compared(contestants, rounds=rounds, singles=singles, many=many)
        # Other than the rate it is the same whatever else the machine does.
        runs = rounds * (singles + many)
        spent = [(processor_seconds(pid) - was) * 1000 / runs for pid, was in zip(pids, before, strict=True)]
    base = figures["not"]
    table = Table("observed", "median", "runs/s at 20", "throughput / not", "pool's processor / run", "more", title=AIM)
    for (name, seen), cost in zip(figures.items(), spent, strict=True):
        numbers = (f"{seen.median_ms:.1f} ms", f"{seen.rate:.0f}", f"{seen.rate / base.rate:.3f}", f"{cost:.2f} ms")
        table.add_row(name, *numbers, f"{cost - spent[0]:.2f} ms")
    return table


@asynccontextmanager
async def _observed(priority: Priority, environment: Mapping[str, str]) -> AsyncIterator[int]:
    """The process of a pool whose metrics somebody reads."""
    address, log = free_address(), Settings().data / f"observed-{priority}.log"
    async with running(pool_process(priority, log, CONTINUO_METRICS_ADDRESS=address, **environment)) as child:
        scraping = asyncio.create_task(_scrape(address))
        try:
            yield child.pid
        finally:
            scraping.cancel()


async def _scrape(address: str) -> None:
    async with httpx.AsyncClient() as http:
        while True:
            (await http.get(f"http://{address}/metrics")).raise_for_status()
            await asyncio.sleep(SCRAPED)


@asynccontextmanager
async def _collecting() -> AsyncIterator[str]:
    """The address of a collector that takes spans and does nothing with them."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.partition(b":")[2]))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield "http://{}:{}".format(*server.sockets[0].getsockname())
