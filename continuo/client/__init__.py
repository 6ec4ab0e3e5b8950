"""The Python client: run patterns from a program of one's own. `continuo.client.sync` is its twin without `await`."""

from continuo.client.batch_items import BatchItem
from continuo.client.continuo import Continuo
from continuo.client.errors import RunFailed
from continuo.client.options import Options
from continuo.client.run import Run
from continuo.client.schedules import Schedules
from continuo.errors import InputError, NoServer
from continuo.jobs import Failure, Outcome
from continuo.operations.schedules import Times
from continuo.progress import Progress

__all__ = [
    "BatchItem", "Continuo", "Failure", "InputError", "NoServer", "Options", "Outcome", "Progress", "Run", "RunFailed",
    "Schedules", "Times",
]  # fmt: skip
