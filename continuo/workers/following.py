"""The table of runs follows Temporal, off the way of every answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import count
from uuid import uuid4

from temporalio.client import Client

from continuo.activities.errors import unless_broken
from continuo.door.collecting import OVERLAP, collect
from continuo.stores.runs import Runs

INTERVAL = 5.0
"""Seconds between two looks."""

LEASE = 30.0
"""Seconds for which one pool follows the runs and the others leave it to that; then another one takes its place."""

SWEEP, SWEPT = 120, timedelta(minutes=15)
"""Every so many looks the runs are looked through again that ended this long ago: a server may list some very late."""


@asynccontextmanager
async def following(client: Client, runs: Runs) -> AsyncIterator[None]:
    """Inside, this process keeps the table up to date, unless another one does."""
    task = asyncio.create_task(_follow(client, runs))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow(client: Client, runs: Runs) -> None:
    holder = str(uuid4())
    for number in count(1):
        await asyncio.sleep(INTERVAL)
        overlap = OVERLAP if number % SWEEP else SWEPT
        await unless_broken("the table of runs", _look(client, runs, holder, overlap))


async def _look(client: Client, runs: Runs, holder: str, overlap: timedelta) -> None:
    if await runs.claim(holder, time.time(), LEASE):
        await collect(client, runs, overlap)
