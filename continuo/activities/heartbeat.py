"""Heartbeats for every activity, so that a dead worker is noticed and a cancellation reaches the HTTP request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity


@asynccontextmanager
async def heartbeats(every: float) -> AsyncIterator[None]:
    """Beats `every` so many seconds while an activity runs that has a heartbeat time-out."""
    if activity.info().heartbeat_timeout is None:
        yield
        return
    pulse = asyncio.create_task(_beat(every))
    try:
        yield
    finally:
        pulse.cancel()


async def _beat(every: float) -> None:
    details = activity.info().heartbeat_details
    while True:
        await asyncio.sleep(every)
        # A beat replaces the details of the attempts before, so it repeats them.
        activity.heartbeat(*details)
