"""What the holder of a key is told of its limits, as the headers that the SDKs know: pure, the time given."""

import math
from collections.abc import Iterator, Sequence

from continuo.config.catalog import Limits
from continuo.protection.rate_limits import SLOTS, Slot, rates

MINUTE = 1
"""The width of the slots, in seconds, that a minute is counted by."""


def headers(limits: Limits, used: Sequence[Slot], now: float) -> dict[str, str]:
    """`x-ratelimit-limit-…`, `-remaining-…` and `-reset-…` of requests and tokens a minute, those that are limited.

    `used` is the window of the last minute, oldest first. A reset is when all of the limit is left again, as `1.5s`.
    """
    return dict(_headers(limits, used, now))


def retry_after(seconds: float) -> dict[str, str]:
    """When to ask again: in whole seconds for everybody, in milliseconds for the SDKs that read that."""
    return {"retry-after": str(math.ceil(seconds)), "retry-after-ms": str(math.ceil(seconds * 1000))}


def _headers(limits: Limits, used: Sequence[Slot], now: float) -> Iterator[tuple[str, str]]:
    for rate in rates(limits):
        amounts = [(slot.slot, getattr(slot, rate.unit)) for slot in used]
        left = rate.allowed - sum(amount for _, amount in amounts)
        newest = max((slot for slot, amount in amounts if amount > 0), default=None)
        reset = 0.0 if newest is None else max(0.0, newest + SLOTS - now)
        yield f"x-ratelimit-limit-{rate.unit}", str(rate.allowed)
        yield f"x-ratelimit-remaining-{rate.unit}", str(min(max(0, left), rate.allowed))
        yield f"x-ratelimit-reset-{rate.unit}", f"{math.ceil(reset * 1000) / 1000:g}s"
