"""The cache in Redis, for the workers of many hosts."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from redis.asyncio import Redis

from continuo.jobs import Outcome
from continuo.stores import vectors
from continuo.stores.cache import FLIGHT, OUTLIVES, Lookup, Place, served, stripped
from continuo.stores.database import Row
from continuo.stores.vectors import StoredEmbedding, Vectors

PREFIX = "continuo:cache:"

PORTION = 200
"""Entries read or dropped at a time, so that nobody waits long behind them."""

# `entry:KEY` and `flight:KEY` are hashes. Sorted sets list the keys: `expires` all of them by their end, `used:SCOPE`
# by their last use, `family:FAMILY:SIZE` those with an embedding by their number. What they list may be gone already.
_COMMON = f"""
local P = '{PREFIX}'

local function find(key, now)
    local entry = redis.call('HMGET', P .. 'entry:' .. key, 'outcome', 'expires')
    if not entry[1] or tonumber(entry[2]) <= tonumber(now) then return false end
    return entry[1]
end

local function use(key, now, hits)
    local name = P .. 'entry:' .. key
    local scope = redis.call('HGET', name, 'scope')
    if not scope then return end
    -- An answer that was found is an answer, even if Redis is too full to note that it was used.
    redis.pcall('HSET', name, 'used', now)
    redis.pcall('HINCRBY', name, 'hits', hits)
    redis.pcall('ZADD', P .. 'used:' .. scope, now, key)
end

local function serve(key, now)
    local outcome = find(key, now)
    if outcome then use(key, now, 1) end
    return outcome
end

local function drop(key)
    local entry = redis.call('HMGET', P .. 'entry:' .. key, 'scope', 'family')
    if entry[1] then redis.call('ZREM', P .. 'used:' .. entry[1], key) end
    if entry[2] then redis.call('ZREM', P .. 'family:' .. entry[2], key) end
    redis.call('ZREM', P .. 'expires', key)
    return redis.call('DEL', P .. 'entry:' .. key)
end

local function sweep(now, most)
    local old = redis.call('ZRANGEBYSCORE', P .. 'expires', '-inf', now, 'LIMIT', 0, most)
    for _, key in ipairs(old) do drop(key) end
    return #old
end

-- A list lives as long as what it lists.
local function list(name, score, key, lifetime)
    redis.call('ZADD', P .. name, score, key)
    if redis.call('PTTL', P .. name) < tonumber(lifetime) then redis.call('PEXPIRE', P .. name, lifetime) end
end
"""

_FIND = "return find(ARGV[1], ARGV[2])"

_USE = "use(ARGV[1], ARGV[2], ARGV[3])"

_SERVE = "return serve(ARGV[1], ARGV[2])"

_LOOK_UP = """
local key, holder, now, take_off, expires, lifetime = unpack(ARGV)
local name = P .. 'flight:' .. key
local outcome = serve(key, now)
if outcome then return {outcome, false, false} end
if take_off == '1' and redis.call('HSETNX', name, 'holder', holder) == 1 then
    redis.call('HSET', name, 'expires', expires)
    redis.call('PEXPIRE', name, lifetime)
end
local flight = redis.call('HMGET', name, 'holder', 'expires')
return {false, flight[1], flight[2]}
"""

_NOTE = """
local key, holder, field, value, lifetime = unpack(ARGV)
local name = P .. 'flight:' .. key
if redis.call('HGET', name, 'holder') ~= holder then return end
redis.call('HSET', name, field, value)
redis.call('PEXPIRE', name, lifetime)
"""

_LAND = """
local name = P .. 'flight:' .. ARGV[1]
if redis.call('HGET', name, 'holder') == ARGV[2] then redis.call('DEL', name) end
"""

_KEEP = """
local key, holder, now, expires, lifetime, max_size, most, scope, family, tenant, pattern, outcome = unpack(ARGV)
local entry, flight = P .. 'entry:' .. key, P .. 'flight:' .. key
local found = redis.call('HMGET', flight, 'holder', 'embedding')
drop(key)
redis.call('HSET', entry, 'key', key, 'scope', scope, 'tenant', tenant, 'pattern', pattern, 'stored', now,
    'expires', expires, 'used', now, 'hits', 0, 'outcome', outcome)
list('expires', expires, key, lifetime)
list('used:' .. scope, now, key, lifetime)
if found[1] == holder and found[2] then
    family = family .. ':' .. #found[2]
    redis.call('HSET', entry, 'family', family, 'embedding', found[2])
    -- Redis's own time, in microseconds: a counter would begin anew where Redis has lost its memory.
    local time = redis.call('TIME')
    list('family:' .. family, string.format('%s%06d', time[1], time[2]), key, lifetime)
    redis.call('ZREMRANGEBYRANK', P .. 'family:' .. family, 0, -most - 1)
end
redis.call('PEXPIRE', entry, lifetime)
sweep(now, 1000)
for _, old in ipairs(redis.call('ZRANGE', P .. 'used:' .. scope, 0, -max_size - 1)) do drop(old) end
redis.call('ZREMRANGEBYRANK', P .. 'used:' .. scope, 0, -max_size - 1)
if found[1] == holder then redis.call('DEL', flight) end
"""

_SWEEP = "return sweep(ARGV[1], ARGV[2])"

_DROP = """
local key, tenant = unpack(ARGV)
if tenant and redis.call('HGET', P .. 'entry:' .. key, 'tenant') ~= tenant then return 0 end
return drop(key)
"""

COLUMNS = {"key": str, "tenant": str, "pattern": str, "stored": float, "expires": float, "used": float, "hits": int}


class RedisCache:
    def __init__(self, client: Redis) -> None:
        # redis-py declares every answer as what any kind of client may get.
        self._client: Any = client
        self._vectors = Vectors(self._newer, self._used)
        self._scripts = {
            text: client.register_script(_COMMON + text)
            for text in (_FIND, _USE, _SERVE, _LOOK_UP, _NOTE, _LAND, _KEEP, _SWEEP, _DROP)
        }

    async def find(self, key: str, now: float) -> Outcome | None:
        return _served(await self._run(_FIND, key, now))

    async def note_use(self, key: str, *, hits: int, now: float) -> None:
        await self._run(_USE, key, now, hits)

    async def look_up(self, place: Place, *, take_off: bool, now: float) -> Lookup:
        outcome, holder, expires = await self._run(
            _LOOK_UP, place.key, place.holder, now, int(take_off), now + FLIGHT, _lifetime(FLIGHT)
        )
        if outcome is not None:
            return Lookup(outcome=served(outcome))
        if holder is None or holder.decode() == place.holder:
            return Lookup()
        return Lookup(wait=True, overdue=holder.decode() if float(expires) <= now else None)

    async def similar(self, place: Place, embedding: bytes, threshold: float, now: float) -> Lookup:
        if (outcome := await self._vectors.nearest(place.family, embedding, threshold, now)) is not None:
            return Lookup(outcome=outcome)
        await self._run(_NOTE, place.key, place.holder, "embedding", embedding, _lifetime(FLIGHT))
        return Lookup()

    async def extend(self, place: Place, *, now: float) -> None:
        await self._run(_NOTE, place.key, place.holder, "expires", now + FLIGHT, _lifetime(FLIGHT))

    async def land(self, place: Place) -> None:
        await self._run(_LAND, place.key, place.holder)

    async def keep(self, place: Place, outcome: Outcome, *, ttl: float, max_size: int, now: float) -> None:
        text = stripped(outcome).model_dump_json(exclude_defaults=True)
        await self._run(
            _KEEP, place.key, place.holder, now, now + ttl, _lifetime(ttl), max_size, vectors.MOST,
            place.scope, place.family, place.tenant, place.pattern, text,
        )  # fmt: skip

    async def invalidate(self, key: str) -> bool:
        return bool(await self._run(_DROP, key))

    async def clear(self, tenant: str | None) -> int:
        count = 0
        for keys in _portions(await self._client.zrange(f"{PREFIX}expires", 0, -1)):
            async with self._client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    await self._scripts[_DROP](args=[key, *([tenant] if tenant else [])], client=pipeline)
                count += sum(await pipeline.execute())
        return count

    async def prune(self, *, now: float, dry_run: bool) -> int:
        if dry_run:
            return int(await self._client.zcount(f"{PREFIX}expires", "-inf", now))
        count = 0
        while dropped := await self._run(_SWEEP, now, PORTION):
            count += dropped
        return count

    async def entries(self, tenant: str | None, now: float) -> list[Row]:
        rows = []
        names = (*COLUMNS, "outcome")
        for keys in _portions(await self._client.zrangebyscore(f"{PREFIX}expires", f"({now}", "+inf")):
            for values in await self._read(keys, names):
                row = {
                    name: value and COLUMNS.get(name, str)(value.decode())
                    for name, value in zip(names, values, strict=True)
                }
                if row["key"] and tenant in (None, row["tenant"]):
                    rows.append(row)
        return sorted(rows, key=lambda row: (-row["used"], row["key"]))

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _used(self, key: str, now: float) -> Outcome | None:
        return _served(await self._run(_SERVE, key, now))

    async def _newer(self, family: str, size: int, last: int, now: float) -> AsyncIterator[StoredEmbedding]:
        listed = f"{PREFIX}family:{family}:{size}"
        while page := await self._client.zrangebyscore(
            listed, f"({last}", "+inf", start=0, num=PORTION, withscores=True
        ):
            result = await self._read([key for key, _ in page], ("embedding", "expires"))
            for (key, number), (embedding, expires) in zip(page, result, strict=True):
                if embedding is not None and float(expires) > now:
                    yield StoredEmbedding(int(number), key.decode(), embedding)
            last = int(page[-1][1])

    async def _read(self, keys: Sequence[bytes], names: Sequence[str]) -> list[Any]:
        async with self._client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hmget(f"{PREFIX}entry:{key.decode()}", names)
            result: list[Any] = await pipeline.execute()
        return result

    async def _run(self, script: str, *arguments: str | bytes | float) -> Any:
        return await self._scripts[script](args=arguments)


def _served(outcome: bytes | None) -> Outcome | None:
    return None if outcome is None else served(outcome)


def _lifetime(seconds: float) -> int:
    """Milliseconds for which Redis keeps what is of use for so many seconds. What counts is the time of who asks."""
    return int((seconds + OUTLIVES) * 1000)


def _portions(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), PORTION):
        yield keys[start : start + PORTION]
