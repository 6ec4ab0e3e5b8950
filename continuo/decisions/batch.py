"""Whether a batch may begin one more item; and from when on a provider's own batches are waited for no more."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

EACH = timedelta(seconds=30)
"""What a single call is given, where those of a batch are made in place of a provider's batch."""

CANCELLING = timedelta(minutes=10)
"""So long a provider may take to end a batch that is cancelled."""

Stance = Literal["wait", "cancel", "leave"]
"""What is done with a provider's batches under way: *leave* is to ask for what is missing by single calls."""


class Hurry(NamedTuple):
    """When a provider's batches are cancelled, and when they are left."""

    cancel: datetime
    leave: datetime

    def stance(self, now: datetime) -> Stance:
        return "leave" if now >= self.leave else "cancel" if now >= self.cancel else "wait"


def hurry(until: datetime, waiting: int, window: int) -> Hurry:
    """For an end at `until`: early enough for single calls of the `waiting` items, `window` of them at once."""
    leave = until - EACH * -(-waiting // window)
    return Hurry(leave - CANCELLING, leave)


def may_begin(*, window: int, in_flight: int, budget: float | None, spent: float, ended: int) -> bool:
    """`window` items run at once at most. Of a `budget` (USD) is left what those in flight will cost, if each costs as
    much as the `ended` ones did on average; the first item goes alone, since nothing is known of it.

    So at most the last item goes over the budget, as long as no item is dearer than those before it.
    """
    if in_flight >= window:
        return False
    if budget is None:
        return True
    if not in_flight:
        return spent < budget
    return bool(ended) and spent + spent / ended * (in_flight + 1) <= budget
