"""How far a run is: what the workflows' query `progress` answers."""

from datetime import datetime
from typing import Literal

from continuo.data import Data
from continuo.jobs import Account

Status = Literal["running", "done", "failed", "cancelled"]


class StepState(Data):
    """One step that has begun. `workflow_id` is its own workflow's, where it is a child; times are UTC."""

    path: str
    kind: str
    status: Status = "running"
    started: datetime
    ended: datetime | None = None
    workflow_id: str | None = None


class Progress(Account):
    """The steps that have begun, in order, and the account until now, of one workflow and its ended children."""

    steps: tuple[StepState, ...] = ()
