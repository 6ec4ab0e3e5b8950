"""Now and then: what answers came to that nobody has kept, and what is old enough to go."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from temporalio.service import RPCError

from continuo.starters.gateway.kept import current
from continuo.starters.gateway.state import Gateway
from continuo.stores.database import StoreUnavailable

log = structlog.get_logger()

EVERY = 3600.0
"""Seconds; a run is known for a day at least after its end."""


@asynccontextmanager
async def sweeping(gateway: Gateway) -> AsyncIterator[None]:
    """It is done meanwhile; at the end, what follows runs stops."""
    task = asyncio.create_task(_sweep(gateway))
    try:
        yield
    finally:
        stopped = [task, *gateway.following]
        for one in stopped:
            one.cancel()
        await asyncio.gather(*stopped, return_exceptions=True)


async def _sweep(gateway: Gateway) -> None:
    settings = gateway.door.library.settings
    while True:
        try:
            async for kept in gateway.answers.open():
                await current(gateway, kept)
            now = time.time()
            await gateway.answers.prune(now - settings.response_retention)
            if settings.conversation_retention is not None:
                await gateway.conversations.prune(now - settings.conversation_retention)
        except (RPCError, StoreUnavailable) as error:
            log.warning("kept answers cannot be looked through", error=f"{error}")
        await asyncio.sleep(EVERY)
