"""How much of the limits is used, shared by all workers: in Redis."""

import json
import time
from typing import Any

from redis.asyncio import Redis

from continuo.config.catalog import Limits
from continuo.protection.rate_limits import SLOTS, Seen, Slot, Wait, rates, wait, widths
from continuo.stores.limits import GRACE, Scopes, under_limits

# By scope: the sorted set `places` lists who runs by the end of the lease; the hash `turns` holds who waits, as `since
# tokens expires`; the hash `windows` of each width holds its slots, as `requests tokens`. Times stay texts: Lua would
# round them.
_COMMON = """
local P = 'continuo:limits:'

local function outlive(name, seconds)
    local lifetime = math.ceil(seconds * 1000) + 60000
    if redis.call('PTTL', name) < lifetime then redis.call('PEXPIRE', name, lifetime) end
end

local function add(name, slot, requests, tokens)
    local used, spent = string.match(redis.call('HGET', name, slot) or '0 0', '(%S+) (%S+)')
    redis.call('HSET', name, slot, (used + requests) .. ' ' .. (spent + tokens))
end
"""

_ADMIT = f"""
local SLOTS = {SLOTS}
local place, turn, tokens, now, expires, lease = unpack(ARGV, 2)

local function look(scope)
    local places, turns = P .. 'places:' .. scope.name, P .. 'turns:' .. scope.name
    redis.call('ZREMRANGEBYSCORE', places, '-inf', now)
    local running = redis.call('ZCARD', places) - (redis.call('ZSCORE', places, place) and 1 or 0)
    local waiting, mine, all = {{}}, tonumber(now), redis.call('HGETALL', turns)
    for i = 1, #all, 2 do
        local since, wanted, over = string.match(all[i + 1], '(%S+) (%S+) (%S+)')
        if tonumber(over) <= tonumber(now) then
            redis.call('HDEL', turns, all[i])
        else
            waiting[#waiting + 1] = {{tonumber(since), tonumber(wanted)}}
            if all[i] == turn then mine = tonumber(since) end
        end
    end
    local ahead, ahead_tokens = 0, 0
    for _, other in ipairs(waiting) do
        if other[1] < mine then ahead, ahead_tokens = ahead + 1, ahead_tokens + other[2] end
    end
    local windows, totals = {{}}, {{}}
    for n, width in ipairs(scope.widths) do
        local name, slots, total = P .. 'windows:' .. scope.name .. ':' .. width[1], {{}}, {{requests = 0, tokens = 0}}
        local used = redis.call('HGETALL', name)
        for i = 1, #used, 2 do
            local slot = tonumber(used[i])
            if slot > width[2] - SLOTS then
                local requests, spent = string.match(used[i + 1], '(%S+) (%S+)')
                slots[#slots + 1] = {{slot, tonumber(requests), tonumber(spent)}}
                total.requests, total.tokens = total.requests + requests, total.tokens + spent
            else
                redis.call('HDEL', name, used[i])
            end
        end
        windows[n], totals[width[1]] = slots, total
    end
    return {{running, ahead, ahead_tokens, windows}}, totals
end

-- The rule of `continuo.protection.rate_limits.wait`, without how long.
local function fits(scope, seen, totals)
    if scope.concurrency and seen[1] + seen[2] + 1 > scope.concurrency then return false end
    for _, rate in ipairs(scope.rates) do
        local width, unit, allowed = unpack(rate)
        local ahead, own = seen[2], 1
        if unit == 'tokens' then ahead, own = seen[3], tonumber(tokens) end
        if totals[width][unit] > allowed - ahead - math.min(own, allowed) then return false end
    end
    return true
end

local scopes, found, go = cjson.decode(ARGV[1]), {{}}, true
for n, scope in ipairs(scopes) do
    local seen, totals = look(scope)
    found[n], go = seen, fits(scope, seen, totals) and go
end
if not go then return found end
for _, scope in ipairs(scopes) do
    redis.call('HDEL', P .. 'turns:' .. scope.name, turn)
    redis.call('ZADD', P .. 'places:' .. scope.name, expires, place)
    outlive(P .. 'places:' .. scope.name, lease)
    for _, width in ipairs(scope.widths) do
        local name = P .. 'windows:' .. scope.name .. ':' .. width[1]
        add(name, width[2], 1, tokens)
        outlive(name, SLOTS * width[1])
    end
end
"""

_QUEUE = """
local turn, tokens, now, expires, lifetime = unpack(ARGV, 2)
for _, scope in ipairs(cjson.decode(ARGV[1])) do
    local name = P .. 'turns:' .. scope
    local since = string.match(redis.call('HGET', name, turn) or now, '%S+')
    redis.call('HSET', name, turn, since .. ' ' .. tokens .. ' ' .. expires)
    outlive(name, lifetime)
end
"""

_FORGO = """
for _, scope in ipairs(cjson.decode(ARGV[1])) do redis.call('HDEL', P .. 'turns:' .. scope, ARGV[2]) end
"""

_SETTLE = """
local place, tokens, expires = unpack(ARGV, 2)
for _, scope in ipairs(cjson.decode(ARGV[1])) do
    local places = P .. 'places:' .. scope.name
    if tonumber(redis.call('ZSCORE', places, place) or '') == tonumber(expires) then
        redis.call('ZREM', places, place)
    end
    for _, width in ipairs(scope.widths) do
        local name = P .. 'windows:' .. scope.name .. ':' .. width[1]
        if redis.call('HEXISTS', name, width[2]) == 1 then add(name, width[2], 0, tokens) end
    end
end
"""

_RENEW = """
local places, place, expires, lease = P .. 'places:' .. ARGV[1], unpack(ARGV, 2)
redis.call('ZADD', places, expires, place)
outlive(places, lease)
"""


class RedisLimits:
    def __init__(self, client: Redis) -> None:
        self._admit = client.register_script(_COMMON + _ADMIT)
        self._queue = client.register_script(_COMMON + _QUEUE)
        self._forgo = client.register_script(_COMMON + _FORGO)
        self._settle = client.register_script(_COMMON + _SETTLE)
        self._renew = client.register_script(_COMMON + _RENEW)
        self._client = client

    async def admit(
        self, scopes: Scopes, *, place: str, turn: str, tokens: int, lease: float, queue: bool, now: float
    ) -> Wait | None:
        limited = under_limits(scopes)
        if not limited:
            return None
        scopes_json = json.dumps([_limit(scope, limits, now) for scope, limits in limited.items()])
        result = await self._admit(args=[scopes_json, place, turn, tokens, now, now + lease, lease])
        if result is None:
            return None
        waits = [
            wait(scope, limits, _seen(limits, *seen), tokens, now)
            for (scope, limits), seen in zip(limited.items(), result, strict=True)
        ]
        longest = max(filter(None, waits), key=lambda one: one.seconds)
        if queue:
            patience = longest.seconds + GRACE
            await self._queue(args=[json.dumps(list(limited)), turn, tokens, now, now + patience, patience])
        return longest

    async def forgo(self, scopes: Scopes, *, turn: str) -> None:
        if limited := list(under_limits(scopes)):
            await self._forgo(args=[json.dumps(limited), turn])

    async def settle(self, scopes: Scopes, *, place: str, admitted: float, lease: float, tokens: int) -> None:
        if limited := [_limit(scope, limits, admitted) for scope, limits in under_limits(scopes).items()]:
            await self._settle(args=[json.dumps(limited), place, tokens, admitted + lease])

    async def renew(self, scope: str, *, place: str, until: float) -> None:
        await self._renew(args=[scope, place, until, max(0.0, until - time.time())])

    async def used(self, scope: str, width: int, now: float) -> tuple[Slot, ...]:
        slots = await self._client.hgetall(f"continuo:limits:windows:{scope}:{width}")
        result = (Slot(int(slot), *map(int, used.split())) for slot, used in slots.items())
        return tuple(sorted(slot for slot in result if slot.slot > int(now // width) - SLOTS))


def _limit(scope: str, limits: Limits, now: float) -> dict[str, Any]:
    """What a script has to know of a scope: a key that is absent is nil there."""
    limit = {
        "name": scope,
        "rates": [(rate.width, rate.unit, rate.allowed) for rate in rates(limits)],
        "widths": [(width, int(now // width)) for width in widths(limits)],
    }
    return limit if limits.concurrency is None else {**limit, "concurrency": limits.concurrency}


def _seen(limits: Limits, running: int, ahead: int, ahead_tokens: int, windows: list[list[list[int]]]) -> Seen:
    slots = (tuple(sorted(Slot(*slot) for slot in window)) for window in windows)
    return Seen(running, ahead, ahead_tokens, dict(zip(widths(limits), slots, strict=True)))
