"""The table of runs follows Temporal, off the way of every answer."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from itertools import count
from uuid import uuid4

from temporalio.client import Client

from continuo.activities.errors import unless_broken
from continuo.door.collecting import OVERLAP, collect
from continuo.door.noticing import notice
from continuo.stores.database import Database
from continuo.stores.runs import Runs
from continuo.workers.beside import beside

INTERVAL = 5.0
"""Seconds between two looks."""

LEASE = 30.0
"""Seconds for which one pool follows the runs and the others leave it to that; then another one takes its place."""

SWEEP, SWEPT = 120, timedelta(minutes=15)
"""Every so many looks the runs are looked through again that ended this long ago: a server may list some very late."""


def following(client: Client, runs: Runs, database: Database) -> AbstractAsyncContextManager[None]:
    """Inside, this process keeps the table up to date, and the bus of what Temporal alone knows, unless another one
    does."""
    return beside(_follow(client, runs, database))


async def _follow(client: Client, runs: Runs, database: Database) -> None:
    holder = str(uuid4())
    for number in count(1):
        await asyncio.sleep(INTERVAL)
        overlap = OVERLAP if number % SWEEP else SWEPT
        await unless_broken("the table of runs", _look(client, runs, database, holder, overlap))


async def _look(client: Client, runs: Runs, database: Database, holder: str, overlap: timedelta) -> None:
    if await runs.claim(holder, time.time(), LEASE):
        # What a run waited for comes before its end.
        position = await runs.position()
        await notice(client, database, position and position - overlap)
        await collect(client, runs, overlap)
