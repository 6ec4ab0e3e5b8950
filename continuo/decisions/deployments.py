"""Which deployment of a model is asked first, and which next: pure, what was seen of them given."""

import math
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from continuo.config.catalog import Strategy
from continuo.decisions.traffic_split import point
from continuo.messages import ModelRequest

CACHED_FROM = 1_024
"""Tokens of a prompt from which on providers keep it in a cache."""


class Candidate(NamedTuple):
    """A deployment, by its provider's `name`. `running` calls of it are under way in this worker, `seconds` is how long
    it took lately, None where that is not known, and `usd` what the call would cost. One to be `spared` is asked last.
    """

    name: str
    weight: float = 1.0
    running: int = 0
    seconds: float | None = None
    usd: float | None = None
    spared: bool = False


def ranked(candidates: Iterable[Candidate], strategy: Strategy, key: str) -> list[Candidate]:
    """The candidates, the one to be asked first in front; those that are equal are drawn by weight, by `key`."""
    return sorted(drawn(candidates, key), key=lambda one: (one.spared, _rank(one, strategy)))


def drawn(candidates: Iterable[Candidate], key: str) -> list[Candidate]:
    """In the order that rendezvous hashing gives for `key`: over all keys each is in front as often as its weight says,
    and where one is missing the others keep their order."""
    return sorted(candidates, key=lambda one: (-_score(one, key), one.name))


def _score(candidate: Candidate, key: str) -> float:
    # The half keeps the point off 0 and 1, where there is no score.
    within = (point(f"{key}\n{candidate.name}") * 2**53 + 0.5) / (2**53 + 1)
    return candidate.weight / -math.log(within)


def _rank(candidate: Candidate, strategy: Strategy) -> float:
    if strategy == "least_busy":
        return candidate.running / candidate.weight
    if strategy == "cost":
        return math.inf if candidate.usd is None else candidate.usd
    if strategy == "lowest_latency":
        if candidate.seconds is None:
            # One call finds out; the others do not wait for what it will have found.
            return math.inf if candidate.running else 0.0
        return candidate.seconds
    return 0.0


def conversation(request: ModelRequest, session: str | None) -> str:
    """What the turns of one conversation share, and others do not: what its caller says, else its first message."""
    first = request.prompt_cache_key or session or request.messages[0].model_dump_json()
    return sha256(first.encode()).hexdigest()
