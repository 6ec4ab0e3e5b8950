"""The cache of answers: shared by the workers, and never needed for a right answer."""

from typing import Protocol

from continuo.data import Data
from continuo.jobs import Outcome
from continuo.stores.database import Row

FLIGHT = 10.0
"""Seconds after which somebody who waits asks whether the run under way to an answer still is: one that was terminated
never lands."""

OUTLIVES = 86_400.0
"""Seconds after which a run under way to an answer, for which nobody has waited so long, is forgotten."""


class Place(Data):
    """Where an answer belongs: see `cache_key`. `holder` is the run that looks for it."""

    key: str
    scope: str
    family: str
    tenant: str
    pattern: str
    holder: str


class Lookup(Data):
    """What a look-up found: an answer; or another run under way to it, to `wait` for; or neither.

    `overdue` is the holder of a flight that nobody has heard of for `FLIGHT` seconds.
    """

    outcome: Outcome | None = None
    wait: bool = False
    overdue: str | None = None


class Cache(Protocol):
    """Times are seconds since 1970, given by the caller."""

    async def find(self, key: str, now: float) -> Outcome | None:
        """The answer kept under the key. It only reads: whoever serves it tells so by `note_use`."""

    async def note_use(self, key: str, *, hits: int, now: float) -> None:
        """The answer kept under the key was served so often, at last now."""

    async def look_up(self, place: Place, *, take_off: bool, now: float) -> Lookup:
        """The answer kept under the key. If there is none, nobody is under way to it and `take_off`, the holder is."""

    async def similar(self, place: Place, embedding: bytes, threshold: float, now: float) -> Lookup:
        """The answer of the same family to the question nearest in meaning, if it is near enough.

        If there is none, the embedding is kept for the answer that the holder is under way to.
        """

    async def extend(self, place: Place, *, now: float) -> None:
        """The holder is still under way."""

    async def land(self, place: Place) -> None:
        """The holder's flight has ended, whatever it came to."""

    async def keep(self, place: Place, outcome: Outcome, *, ttl: float, max_size: int, now: float) -> None:
        """Keep an answer for `ttl` seconds, and land; beyond `max_size` of a scope the least recently used ones go."""

    async def invalidate(self, key: str) -> bool:
        """Drop one answer; whether there was one."""

    async def clear(self, tenant: str | None) -> int:
        """Drop all answers, or those of one tenant; how many there were."""

    async def prune(self, *, now: float, dry_run: bool) -> int:
        """Drop what nobody is served any more; how many answers that are."""

    async def entries(self, tenant: str | None, now: float) -> list[Row]:
        """What is kept, last used first: key, tenant, pattern, stored, expires, used, hits, outcome."""

    async def aclose(self) -> None: ...


def stripped(outcome: Outcome) -> Outcome:
    """The answer alone: what it took belongs to the run that made it. What it had cost is what a hit saves."""
    own = ("calls", "checkpoints", "usage", "cost_usd", "latency_ms", "workflow_id", "run_id")
    answer = {name: value for name, value in outcome if name not in own}
    return Outcome(**{**answer, "saved_usd": outcome.cost_usd})


def served(text: str | bytes) -> Outcome:
    return Outcome.model_validate_json(text).model_copy(update={"served_by": "cache", "cost_usd": 0.0})
