"""The API keys in the memory of a process, as they are in the store but for a few seconds."""

import asyncio
import math
import time
from datetime import UTC, datetime

import structlog

from continuo.protection.api_keys import ApiKey, Proof, StoredKey, parsed_secret, proven
from continuo.stores.api_keys import ApiKeys
from continuo.stores.database import StoreUnavailable

log = structlog.get_logger()

FRESH = 2.0
"""Seconds for which what was read is taken as it is; from then on it is read again while requests go on."""

STALE = 4.0
"""Seconds after which a request waits until it has been read again: a revoked key opens nothing for longer."""

PAUSE = 0.5
"""Seconds between two looks into the store for what memory does not open, however many guess."""


class KeyRing:
    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys
        self._known: dict[str, StoredKey] = {}
        self._read_at = -math.inf
        self._reading = asyncio.Lock()
        self._refresh: asyncio.Task[None] | None = None

    async def find(self, text: str) -> ApiKey | None:
        """The key that the text is a secret of, found in memory; None for one that opens nothing, here or in the store.

        Raises `StoreUnavailable` when the store cannot be read and what is known is stale.
        """
        secret = parsed_secret(text)
        return None if secret is None else await self.proven(secret.proof)

    async def proven(self, secret: Proof) -> ApiKey | None:
        """The same for a secret that was sent before."""
        started = time.monotonic()
        age = started - self._read_at
        if age >= STALE:
            await self._read_since(started - STALE)
        elif age >= FRESH and (self._refresh is None or self._refresh.done()):
            self._refresh = asyncio.create_task(self._refreshed(started - FRESH))
        if (key := self._opened(secret)) is None:
            # It may be newer than what is known: created, or rotated.
            await self._read_since(started)
            key = self._opened(secret)
        return key

    def _opened(self, secret: Proof) -> ApiKey | None:
        stored = self._known.get(secret.id)
        return stored.key if proven(stored, secret, datetime.now(UTC)) and stored else None

    async def _refreshed(self, moment: float) -> None:
        try:
            await self._read_since(moment)
        except StoreUnavailable as error:
            log.warning("the keys cannot be read", error=str(error))

    async def _read_since(self, moment: float) -> None:
        """Return when the store was read after that moment: by us, or by whom we waited for."""
        async with self._reading:
            if self._read_at > moment:
                return
            await asyncio.sleep(max(0.0, self._read_at + PAUSE - time.monotonic()))
            started = time.monotonic()
            self._known = {stored.key.id: stored for stored in await self._keys.all()}
            self._read_at = started
