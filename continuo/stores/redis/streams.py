"""The stream log in Redis: a stream for each run, beside a hash that says who may append to it."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from continuo.deltas import Delta
from continuo.stores.streams import MAX_BYTES, PORTION, Claim, Watches, Writer, behind, encoded

log = structlog.get_logger()

PREFIX = "continuo:stream:"

CHANNEL = "continuo:streams"

AWAY = 1.0
"""Seconds after which a server that was lost is listened to again."""

IDLE = 30.0
"""Seconds after which a silent connection is looked at again."""

# The number of an entry is that of the last of its pieces.
_CLAIM = f"""
local run, path, attempt, kept = unpack(ARGV)
local name = '{PREFIX}' .. run .. ':writer'
local now = redis.call('HMGET', name, 'path', 'attempt', 'pieces')
local pieces, same = tonumber(now[3] or 0), now[1] == path
if (same and tonumber(now[2]) <= tonumber(attempt)) or (not same and pieces == 0) then
    redis.call('HSET', name, 'path', path, 'attempt', attempt)
    redis.call('PEXPIRE', name, kept)
end
if pieces == 0 then same = true end
return {{pieces, same and 1 or 0}}
"""

_APPEND = f"""
local run, path, attempt, after, last, pieces, kept = unpack(ARGV)
local name = '{PREFIX}' .. run
local now = redis.call('HMGET', name .. ':writer', 'path', 'attempt', 'pieces', 'bytes')
local bytes = (now[4] or 0) + #pieces
if now[1] ~= path or now[2] ~= attempt or (now[3] or '0') ~= after or bytes > {MAX_BYTES} then return 0 end
redis.call('XADD', name, last .. '-0', 'pieces', pieces)
redis.call('HSET', name .. ':writer', 'pieces', last, 'bytes', bytes)
redis.call('PEXPIRE', name, kept)
redis.call('PEXPIRE', name .. ':writer', kept)
redis.call('PUBLISH', '{CHANNEL}', run)
return 1
"""


class RedisStreams:
    """A run is kept for so many seconds after its last piece."""

    def __init__(self, client: Redis, watches: Watches, kept: float) -> None:
        self._claim = client.register_script(_CLAIM)
        self._append = client.register_script(_APPEND)
        self._client = client
        self._watches = watches
        self._kept = round(kept * 1000)

    async def claim(self, writer: Writer, now: float) -> Claim:
        pieces, same = await self._claim(args=[writer.run, writer.path, writer.attempt, self._kept])
        return Claim(pieces, bool(same))

    async def append(self, writer: Writer, after: int, pieces: Sequence[Delta], now: float) -> bool:
        args: list[Any] = [
            writer.run,
            writer.path,
            writer.attempt,
            after,
            after + len(pieces),
            encoded(pieces),
            self._kept,
        ]
        return bool(await self._append(args=args))

    async def read(self, run: str, after: int) -> list[Delta]:
        entries: Any = await self._client.xrange(f"{PREFIX}{run}", min=f"({after}-0", count=PORTION)
        return behind([(int(id.partition(b"-")[0]), fields[b"pieces"]) for id, fields in entries], after)

    def watched(self, run: str) -> AbstractContextManager[asyncio.Event]:
        return self._watches.watched(run)

    async def forget(self, runs: Sequence[str], *, dry_run: bool) -> int:
        count = 0
        for run in runs:
            name = f"{PREFIX}{run}"
            count += await self._client.exists(f"{name}:writer")
            if not dry_run:
                await self._client.delete(name, f"{name}:writer")
        return count

    async def prune(self, now: float, *, dry_run: bool) -> int:
        # Each goes by itself.
        return 0


async def follow(client: Redis, watches: Watches) -> None:
    """Tell those who wait, for ever, on a connection of its own from when the first one waits."""
    while True:
        await watches.wanted()
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(CHANNEL)
                while True:
                    # What was told before it was subscribed to, or was missed, is not told again.
                    if (message := await channel.get_message(timeout=IDLE)) is None:
                        watches.tell_all()
                    else:
                        watches.tell(message["data"].decode())
        except (RedisError, OSError) as error:
            log.warning("the stream log cannot be listened to", error=f"{type(error).__name__}: {error}")
        watches.tell_all()
        await asyncio.sleep(AWAY)
