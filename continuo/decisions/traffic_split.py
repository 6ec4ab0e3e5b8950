"""Which variant of a split a job is sent to."""

from collections.abc import Mapping
from hashlib import sha256
from itertools import accumulate
from math import inf, log1p


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


def kept_at(weights: Mapping[str, float], key: str) -> str:
    """The name that `key` stays at while weights change, as far as they allow: it leaves one only for another whose
    weight has grown by a larger factor. Each name's share of all keys is that of its weight.

    Weighted rendezvous hashing: of waits at rates as the weights, the shortest.
    """

    def wait(name: str) -> float:
        return -log1p(-point(f"{key}/{name}")) / weights[name] if weights[name] else inf

    return min(weights, key=wait)
