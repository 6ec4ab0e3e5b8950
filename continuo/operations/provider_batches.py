"""The batches of a provider's own in which the items of one of ours are asked."""

from typing import Literal

from continuo.data import Data
from continuo.jobs import CallRecord
from continuo.operations.batches import Tally

TYPE = "ProviderBatch"
"""The type of the workflow of a batch whose items go into those of a provider."""

FIRST_LOOK, LONGEST_PAUSE = 5.0, 600.0
"""Seconds until it is looked how a provider's batches stand; the pauses double."""

AWAY, AWAY_LONGEST = 5.0, 600.0
"""Seconds until a provider that gave no answer is asked again; the pauses double."""

MISSED = 3
"""Looks in a row at which nobody knows a batch, after which it is lost."""

OVERDUE = 7200.0
"""Seconds behind the time at which a batch expires, after which it is lost."""

IDLE_ROUNDS, IDLE_PAUSE = 3, 600.0
"""After so many rounds that brought no answer single calls are made; between two of them there is a pause (seconds)."""


class Sent(Data):
    """A batch that was sent to a provider, or may have been: of our items from the number `first` to the number `last`
    those that wait, so many `items`.

    `token` is ours, and begins the ids of its requests; `remote` is the provider's, None until it is known. `created`
    is when it was meant to be sent, in seconds since 1970. `unanswered` is what it is booked as where it is lost.
    """

    token: str
    provider: str
    model: str
    first: int
    last: int
    items: int
    created: float
    unanswered: CallRecord
    remote: str | None = None


class Sending(Data):
    """What one attempt to send came to: the items up to the number `after` were looked at. More may follow, unless it
    has the `last` one, or there is no `money` for more as long as what was sent has not ended."""

    after: int
    last: bool
    money: bool = True


class Look(Data):
    """How a batch that was sent stands. *unknown*: that could not be asked. *missing*: nobody knows it. *overdue*: it
    should have ended long ago."""

    token: str
    state: Literal["running", "unknown", "ended", "failed", "missing", "overdue"]
    why: str = ""


class Looked(Data):
    """All that are under way, and how our batch stands."""

    batches: tuple[Look, ...]
    tally: Tally


How = Literal["ended", "failed", "lost"]
"""How one is closed: its answers are taken, its items fail, or it is booked at what it may have cost."""


class Closing(Data):
    token: str
    how: How
    why: str = ""


class Closed(Data):
    """How its batch stands now."""

    tally: Tally
