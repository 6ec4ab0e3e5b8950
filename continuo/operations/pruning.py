"""What is pruned, and what a request for it and its result are."""

from typing import Literal

from continuo.data import Data
from continuo.jobs import Priority

Part = Literal["journal", "ledger", "cache", "payloads", "letters", "runs", "streams", "audit", "events"]

TYPE = "Prune"
"""The workflow type."""

QUEUE: Priority = "standard"

SCHEDULE = "prune"
"""The id of the schedule, with which begin the ids of all that it starts."""


class Request(Data):
    """With `dry_run` it is only counted what would go."""

    dry_run: bool = False


class Pruned(Data):
    """How many went, or would go, of each; `letters` are dead letters that were closed, `runs` rows of runs, their
    ratings and batches, and shifts of splits, `streams` runs in the stream log, `audit` rows of the audit, `events`
    those of the bus."""

    dry_run: bool
    journal: int
    ledger: int
    cache: int
    payloads: int
    letters: int
    runs: int = 0
    streams: int = 0
    audit: int = 0
    events: int = 0
