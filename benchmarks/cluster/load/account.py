"""What the provider was asked for, beside what the ledger has."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

IN_FLIGHT = 5.0
"""Seconds before its pool was killed in which a call may have begun that had no answer yet: its provider's time, and
that of a busy machine."""


@dataclass(frozen=True)
class Account:
    """Calls by their identity. `answered` have an answer of the provider; several of them have those that were
    `in_flight` when a pool was killed, and `twice` are all others that have. `unbooked` have an answer and no row,
    `unasked` a row and no answer.
    """

    answered: int
    in_flight: int
    twice: Sequence[str]
    unbooked: Sequence[str]
    unasked: Sequence[str]

    @property
    def is_clean(self) -> bool:
        return not (self.twice or self.unbooked or self.unasked)


def account(calls: Iterable[Mapping[str, Any]], ledger: Iterable[str], kills: Sequence[float]) -> Account:
    """`calls` are the simulator's, `ledger` the identities of its rows, `kills` when pools were killed."""
    times = defaultdict[str, list[float]](list)
    for call in calls:
        if call["answered"]:
            # An attempt that goes on behind a stream that broke has its number behind the identity.
            times[call["idempotency_key"].partition("+")[0]].append(call["time"])
    again = {identity: sorted(begun) for identity, begun in times.items() if len(begun) > 1}
    twice = {
        identity
        for identity, begun in again.items()
        if not all(any(one <= kill <= one + IN_FLIGHT for kill in kills) for one in begun[:-1])
    }
    # A row of an attempt without an answer has its number behind it.
    booked = {identity for identity in ledger if "#" not in identity}
    return Account(
        answered=len(times),
        in_flight=len(again) - len(twice),
        twice=sorted(twice),
        unbooked=sorted(times.keys() - booked),
        unasked=sorted(booked - times.keys()),
    )
