"""What open reviews cost while they wait: memory, processor time, and the calls beside them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TypeVar
from uuid import uuid4

from rich.table import Table
from temporalio.service import RPCError

from benchmarks.cases import MODEL
from benchmarks.measure import compared
from benchmarks.processes import processor_seconds, resident_bytes
from benchmarks.stage import Stage
from continuo.door.runs import UNTOUCHED, Handle, start
from continuo.patterns import Call, Review
from continuo.testing.processes import job, until

T = TypeVar("T")

AT_ONCE = 50

OPENING = 420.0
"""Seconds in which reviews are opened: as many as are open then are measured, and told."""


async def waiting(stage: Stage, *, reviews: int, idle: float, singles: int) -> Table:
    """Without and with so many open reviews: memory, the processor time of `idle` seconds in which nothing is asked,
    and `singles` calls, one at a time."""
    table = Table("open reviews", "process", "memory", "ms of processor a second", "median of a call")
    table.title = "reviews that wait for a person"
    call = {"call": stage.continuo(Call(model=MODEL))}
    await compared(call, rounds=1, singles=min(20, singles), many=0)  # warm up
    handles: list[Handle] = []
    for count in (0, reviews):
        handles += await _opened(stage, count)
        before = {name: sum(map(processor_seconds, pids)) for name, pids in stage.processes.items()}
        await asyncio.sleep(idle)
        spent = {name: sum(map(processor_seconds, pids)) - before[name] for name, pids in stage.processes.items()}
        memory = {name: sum(map(resident_bytes, pids)) for name, pids in stage.processes.items()}
        median = (await compared(call, rounds=1, singles=singles, many=0))["call"].median_ms
        for name in ("temporal", "worker"):
            cells = (f"{memory[name] / 2**20:.0f} MB", f"{1000 * spent[name] / idle:.1f}")
            table.add_row(f"{len(handles):,}", name, *cells, f"{median:.1f} ms")
    await _each(_end, handles)
    return table


async def _opened(stage: Stage, count: int) -> list[Handle]:
    """Reviews that all wait for a person: so many, or as many as could be opened in `OPENING`."""
    asked, ends = job(Review(question="Is it?")), time.monotonic() + OPENING
    handles: list[Handle] = []

    async def opened(_: int) -> None:
        if time.monotonic() < ends:
            handle = await start(stage.client, asked, id=f"review-{uuid4()}")
            # Started faster than the pool takes them up, they would be a backlog.
            await until(partial(_waits, handle), timeout=60, every=0.5)
            handles.append(handle)

    await _each(opened, range(count))
    return handles


async def _waits(handle: Handle) -> bool:
    return (await handle.describe()).history_length > UNTOUCHED


async def _each(work: Callable[[T], Awaitable[None]], items: Iterable[T]) -> None:
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def _end(handle: Handle) -> None:
    with suppress(RPCError):
        await handle.terminate()
