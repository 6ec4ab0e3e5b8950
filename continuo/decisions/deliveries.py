"""Which events a subscriber is sent next: in order for each subject, and never held up by another subject's."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Held(NamedTuple):
    """A subject whose first event was not taken `failures` times, and until when it is left alone."""

    failures: int
    until: float


def due(waiting: Iterable[tuple[int, str]], held: Mapping[str, Held], now: float) -> dict[str, list[int]]:
    """The numbers to send by subject, each subject's in order, given those that wait, in order, with their subjects."""
    numbers: dict[str, list[int]] = {}
    for seq, subject in waiting:
        if subject not in held or held[subject].until <= now:
            numbers.setdefault(subject, []).append(seq)
    return numbers
