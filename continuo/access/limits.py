"""What is asked for with a key, counted by all gateways together: requests and tokens a minute, requests at once."""

import asyncio
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from uuid import uuid4

import structlog

from continuo.config.catalog import Limits
from continuo.protection.api_keys import ApiKey
from continuo.protection.quota import MINUTE, headers, retry_after
from continuo.protection.rate_limits import any_limit, widths
from continuo.stores.limits import LimitStore

log = structlog.get_logger()

LEASE = 30.0
"""Seconds for which a request holds its place; a gateway that lives renews it, one that died does not."""


@dataclass
class Admitted:
    """A request that may go, with the headers of its response. Whoever has it must `release` it."""

    headers: dict[str, str]
    scope: str
    limits: Limits
    place: str
    time: float
    lease: float
    tokens: int


@dataclass(frozen=True)
class Refused:
    """A request that may not go now. `why` is for people, `retry_after` in seconds and in the headers too."""

    headers: dict[str, str]
    retry_after: float
    why: str


class KeyLimits:
    """Where the store of limits is broken requests go uncounted, as the calls of workers do; entered, it keeps places
    from being lost."""

    def __init__(self, store: LimitStore) -> None:
        self._store = store
        self._held: dict[str, Admitted] = {}
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._renewal = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._renewal.cancel()
        await asyncio.gather(self._renewal, return_exceptions=True)

    async def admit(self, key: ApiKey, tokens: int) -> Admitted | Refused:
        """Count a request that uses about so many `tokens`, or say when it may come again."""
        limits, now, place = key.limits, time.time(), uuid4().hex
        admitted = Admitted({}, f"key/{key.id}", limits, place, now, LEASE, tokens)
        if not any_limit(limits):
            return admitted
        scopes = {admitted.scope: limits}
        try:
            wait = await self._store.admit(
                scopes, place=place, turn=place, tokens=tokens, lease=LEASE, queue=False, now=now
            )
            used = await self._store.used(admitted.scope, MINUTE, now) if widths(limits) else ()
        except Exception as error:
            _warn(error)
            return admitted
        admitted.headers = headers(limits, used, now)
        if wait is not None:
            return Refused({**admitted.headers, **retry_after(wait.seconds)}, wait.seconds, wait.why)
        if limits.concurrency is not None:
            self._held[place] = admitted
        return admitted

    async def release(self, admitted: Admitted, tokens: int | None) -> None:
        """The request has ended and used so many `tokens`; None where nobody knows, and what was estimated counts."""
        if admitted.place in self._held:
            async with self._renewing:
                self._held.pop(admitted.place, None)
        if not any_limit(admitted.limits):
            return
        more = 0 if tokens is None else tokens - admitted.tokens
        try:
            await self._store.settle(
                {admitted.scope: admitted.limits},
                place=admitted.place,
                admitted=admitted.time,
                lease=admitted.lease,
                tokens=more,
            )
        except Exception as error:
            _warn(error)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            for place, admitted in list(self._held.items()):
                # One at a time: who is released meanwhile must not get a place anew.
                async with self._renewing:
                    if place in self._held:
                        await self._renewed(admitted)

    async def _renewed(self, admitted: Admitted) -> None:
        lease = time.time() - admitted.time + LEASE
        try:
            await self._store.renew(admitted.scope, place=admitted.place, until=admitted.time + lease)
        except Exception as error:
            _warn(error)
        else:
            admitted.lease = lease


def _warn(error: Exception) -> None:
    log.warning("the store of limits is broken", error=f"{type(error).__name__}: {error}")
