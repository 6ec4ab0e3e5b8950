"""Which variant of a split a job is sent to."""

from collections.abc import Mapping
from hashlib import sha256
from itertools import accumulate


def point(key: str) -> float:
    """Where `key` always falls in 0..1, evenly spread over keys."""
    return int.from_bytes(sha256(key.encode()).digest()[:8], "big") / 2**64


def variant_at(weights: Mapping[str, float], point: float) -> str:
    """The name whose share of the line from 0 to 1 holds `point`; shares are in the order of `weights`."""
    mark = point * sum(weights.values())
    for name, end in zip(weights, accumulate(weights.values()), strict=True):
        if mark < end:
            return name
    return list(weights)[-1]
