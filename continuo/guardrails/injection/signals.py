"""What speaks for an attack, and how much all of it together does."""

from collections.abc import Iterable
from typing import NamedTuple


class Signal(NamedTuple):
    """A part of a text that speaks for an attack, from `start` up to `end`; `weight` is what it adds to the score, of
    which 1 is enough."""

    kind: str
    name: str
    weight: float
    start: int
    end: int


REACH = 2_500
"""Characters: what stands further apart in a long text is not added up."""

CORE, MOST = 0.35, 0.9
"""Signals that weigh less than `CORE` only support others: without one of those they add up to `MOST`, since harmless
questions in a row have many of them."""


def strongest(signals: Iterable[Signal]) -> tuple[float, list[Signal]]:
    """The highest score of any part of the text, and what it is made of; each name counts once in it."""
    ordered = sorted(signals, key=lambda one: one.start)
    best, at, score = 0.0, (0, 0), 0.0
    counts: dict[str, int] = {}
    first = core = 0
    for last, signal in enumerate(ordered):
        if not counts.get(signal.name):
            score += signal.weight
        counts[signal.name] = counts.get(signal.name, 0) + 1
        core += signal.weight >= CORE
        while signal.start - ordered[first].start > REACH:
            gone = ordered[first]
            counts[gone.name] -= 1
            core -= gone.weight >= CORE
            if not counts[gone.name]:
                score -= gone.weight
            first += 1
        reached = score if core else min(score, MOST)
        if reached > best + 1e-9:
            best, at = reached, (first, last + 1)
    return round(best, 3), ordered[at[0] : at[1]]
