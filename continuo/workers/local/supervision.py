"""Several children: started together, watched, and started again when they die."""

import asyncio
import sys
import time
from collections.abc import Iterable

from continuo.errors import InputError
from continuo.workers.local.processes import Child

FIRST_PAUSE, LAST_PAUSE = 0.25, 30.0
"""Seconds before a child that died is started again; the pause doubles while it keeps dying."""


async def start(children: Iterable[Child]) -> None:
    """Start them at once and wait until all are ready. Raises `InputError`, that of the first that cannot."""
    try:
        async with asyncio.TaskGroup() as group:
            for child in children:
                group.create_task(child.start())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def watch(children: Iterable[Child], *, restart: bool) -> Child:
    """Wait until a child dies and return it; with `restart` start each that dies again instead, for ever."""
    watches = [asyncio.create_task(_watched(child, restart=restart)) for child in children]
    try:
        done, _ = await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for one in watches:
            one.cancel()


async def _watched(child: Child, *, restart: bool) -> Child:
    pause = FIRST_PAUSE
    while True:
        since = time.monotonic()
        await child.ended()
        if not restart:
            return child
        # What dies again and again is not to keep the machine busy.
        pause = FIRST_PAUSE if time.monotonic() - since > LAST_PAUSE else min(2 * pause, LAST_PAUSE)
        print(f"the {child.name} died; starting it again in {pause:g} s", file=sys.stderr, flush=True)
        await asyncio.sleep(pause)
        try:
            await child.start()
        except InputError as error:
            print(error, file=sys.stderr, flush=True)
