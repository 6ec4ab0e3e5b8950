"""Whether a call keeps the limits of its provider and model, and else how long it waits: pure, time given."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import Field

from continuo.config.catalog import Limits
from continuo.data import Data

WINDOW = 60
"""A minute is counted by the second, an hour by the minute: what was used leaves the window one slot at a time."""

SLOTS = WINDOW + 1
"""Those counted: the one that has just begun, and the whole ones before it, since of the oldest a part is within."""

SHORTEST, LONGEST = 0.5, 15.0
"""Seconds of a wait, the longest one for a place: when that gets free is not known, so a call is taken to last 1 s."""


class Wait(Data):
    """The call may not go yet; it should ask again in so many `seconds`, as one that had so many `attempts` before, of
    which so many were `failures`."""

    seconds: float
    why: str
    attempts: int = Field(default=0, exclude_if=lambda value: not value)
    failures: int = Field(default=0, exclude_if=lambda value: not value)


class Slot(NamedTuple):
    """What was used in one slot of a window, a slot being seconds since 1970 over the window's width."""

    slot: int
    requests: int
    tokens: int


class Seen(NamedTuple):
    """How much of the limits is used. `ahead` are the calls that have waited longer, with their tokens; `windows` are
    by the width of their slots in seconds, each oldest first."""

    running: int = 0
    ahead: int = 0
    ahead_tokens: int = 0
    windows: Mapping[int, tuple[Slot, ...]] = {}


class Rate(NamedTuple):
    """A limit on what is used in `WINDOW` times `width` seconds, of which the throttle leaves so much `allowed`."""

    width: int
    unit: str
    limit: int
    allowed: int


def rates(limits: Limits) -> Iterator[Rate]:
    """The rates that are limited."""
    for width, name in ((1, "minute"), (60, "hour")):
        for unit in ("requests", "tokens"):
            if (limit := getattr(limits, f"{unit}_per_{name}")) is not None:
                yield Rate(width, unit, limit, max(1, math.floor(limit * limits.throttle_at)))


def widths(limits: Limits) -> tuple[int, ...]:
    """The widths of the windows that have to be counted."""
    return tuple(sorted({rate.width for rate in rates(limits)}))


def any_limit(limits: Limits) -> bool:
    return limits.concurrency is not None or any(rates(limits))


def wait(scope: str, limits: Limits, seen: Seen, tokens: int, now: float) -> Wait | None:
    """None when a call of `tokens` may go now. Those ahead are counted as if they had gone: nobody overtakes."""
    waits = [result for rate in rates(limits) if (result := _for_rate(scope, rate, seen, tokens, now))]
    if limits.concurrency is not None and (over := seen.running + seen.ahead + 1 - limits.concurrency) > 0:
        seconds = min(max(over / limits.concurrency, SHORTEST), LONGEST)
        waits.append(Wait(seconds=seconds, why=f"{scope} has {seen.running} of {limits.concurrency} requests at once"))
    return max(waits, key=lambda one: one.seconds, default=None)


def _for_rate(scope: str, rate: Rate, seen: Seen, tokens: int, now: float) -> Wait | None:
    ahead, own = (seen.ahead, 1) if rate.unit == "requests" else (seen.ahead_tokens, tokens)
    # What is larger than the limit itself goes when nothing else is counted, instead of never.
    room = rate.allowed - ahead - min(own, rate.allowed)
    slots = seen.windows.get(rate.width, ())
    left = total = sum(getattr(slot, rate.unit) for slot in slots)
    if total <= room:
        return None
    until = now + SHORTEST
    for slot in slots:
        left -= getattr(slot, rate.unit)
        until = max(until, float((slot.slot + SLOTS) * rate.width))
        if left <= room:
            break
    why = f"{scope} has used {total:,} of {rate.limit:,} {rate.unit} in {WINDOW * rate.width:,} s"
    return Wait(seconds=until - now, why=why)
