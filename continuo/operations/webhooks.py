"""What is told at the end of a run whose caller wants to be told."""

import json
from typing import Annotated, Literal

from continuo.data import WHEN_SET, Data

TYPE = "Webhook"
"""The workflow type of what is to be told."""

_OBJECTS = {"job": "job", "resp": "response", "batch": "batch", "msgbatch": "message_batch"}

How = Literal["completed", "cancelled"]


class Notice(Data):
    """Which run has ended, the `subject`'s that its caller knows it by, such as `job_…`, and the `url` to be told.

    `how` it ended is said of a batch, whose row tells of its end before it does; of other runs it is looked up.
    """

    url: str
    subject: str
    tenant: str
    workflow_id: str
    run_id: str
    how: Annotated[How | None, WHEN_SET] = None

    @property
    def id(self) -> str:
        """The id of its own workflow. Cut, since an id over the server's limit would block the run."""
        return f"webhook/{self.workflow_id[:200]}/{self.run_id}"


class Event(Data):
    """What is told, however often it is tried: `id` is always the same. `created_at` is in seconds since 1970."""

    id: str
    type: str
    created_at: int
    subject: str

    @property
    def body(self) -> str:
        """As OpenAI's SDK reads it."""
        head = {"id": self.id, "object": "event", "created_at": self.created_at, "type": self.type}
        return json.dumps({**head, "data": {"id": self.subject}}, separators=(",", ":"))


class Delivery(Data):
    """The HTTP status of the answer that ended it: 2xx took it, 410 wants no more."""

    status: int


def event_of(notice: Notice, how: str, time: float) -> Event:
    """The event of a run that ended `how`, such as `completed`, at a `time` in seconds since 1970."""
    kind = _OBJECTS[notice.subject.partition("_")[0]]
    id = f"evt_{notice.run_id.replace('-', '')}"
    return Event(id=id, type=f"{kind}.{how}", created_at=int(time), subject=notice.subject)
