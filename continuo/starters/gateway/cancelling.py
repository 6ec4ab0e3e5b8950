"""Runs that are asked to end: by their callers, or since nobody waits for them any more."""

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Protocol

import structlog
from temporalio.service import RPCError, RPCStatusCode

from continuo.jobs import Failure, Outcome
from continuo.stores.database import StoreUnavailable
from continuo.stores.requests import Known, Requests
from continuo.stores.waiters import LEASE, Waiter

log = structlog.get_logger()


class Cancellable(Protocol):
    @property
    def id(self) -> str: ...

    async def cancel(self) -> None: ...


class Waiting:
    """The clients that wait for runs here. A run whose client has left is cancelled, unless another one waits for it;
    where that cannot be known yet, since a store is away or another process died with its clients, it is looked at
    again until it is.
    """

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._here: set[Waiter] = set()
        self._left: dict[Waiter, Cancellable] = {}
        self._renewed = True

    def add(self, waiter: Waiter) -> None:
        self._here.add(waiter)

    def discard(self, waiter: Waiter) -> None:
        """It waits no more, whether it has its answer or has left."""
        self._here.discard(waiter)

    async def leave(self, waiter: Waiter, run: Cancellable) -> None:
        """The client has gone without the answer of its run."""
        self._left[waiter] = run
        if self._renewed:
            await self._look(waiter, run)

    async def answered(self, waiter: Waiter | None) -> None:
        """The client has its answer, or an error. Without the store it counts as waiting a little longer."""
        if waiter is not None:
            with suppress(StoreUnavailable):
                await self._requests.answered(waiter)

    async def lost(self, known: Known, result: Awaitable[Outcome | Failure]) -> bool:
        """Whether a run that all had left has no answer, which is waited for: then nobody waits for it any more."""
        lost = isinstance(await result, Failure)
        if lost:
            await self.answered(known.waiter)
        return lost

    async def renew(self) -> None:
        """Say who waits here, and look again at the runs that were left."""
        try:
            await self._requests.renew([*self._here], time.time())
        except StoreUnavailable as error:
            log.warning("who waits cannot be told to the other processes", error=str(error))
            self._renewed = False
            return
        # After a store was away the others say first who waits for theirs.
        looked_at, self._renewed = [*self._left.items()] if self._renewed else [], True
        for waiter, run in looked_at:
            if not await self._look(waiter, run):
                break

    async def renewing(self) -> None:
        """Do that for ever, often enough."""
        while True:
            await asyncio.sleep(LEASE / 3)
            await self.renew()

    async def _look(self, waiter: Waiter, run: Cancellable) -> bool:
        """End the run if nobody waits for it; False where that could not be done."""
        try:
            standing = await self._requests.leave(waiter, time.time())
            if standing == "abandoned":
                await cancel(run)
        except (RPCError, StoreUnavailable) as error:
            log.warning("a run that was left cannot be ended yet", run=run.id, error=f"{error}")
            return False
        if standing != "waited_for":
            self._left.pop(waiter, None)
        return True


async def cancel(run: Cancellable) -> None:
    """Ask it to end, unless it has."""
    try:
        await run.cancel()
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
