"""What the client raises: `RunFailed`, and `InputError` or its kind `NoServer` for all that Temporal says."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from continuo.errors import InputError, NoServer
from continuo.jobs import Failure

# The SDK says `CANCELLED` where its own time for a call is over, as of a server that stands still.
_AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


class RunFailed(Exception):
    """The run `id` ended without an answer; `failure` says why, and what was done and paid until then.

    Its `failure.type` is `Cancelled` for a run that was cancelled, and `DeadlineExceeded` for one that took too long.
    """

    def __init__(self, id: str, failure: Failure) -> None:
        super().__init__(id, failure)
        self.id = id
        self.failure = failure

    def __str__(self) -> str:
        return f"{self.id}: {self.failure.cause}"


@contextmanager
def plain_errors(missing: str = "") -> Iterator[None]:
    """Inside, a server that is away is `NoServer`, and an id that it does not know `InputError` with text `missing`."""
    try:
        yield
    except WorkflowUpdateFailedError as error:
        raise InputError(str(error.cause)) from error
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND and missing:
            raise InputError(missing) from error
        if error.status in _AWAY:
            message = f"the Temporal server does not answer ({error.message}); runs go on when it is back"
            raise NoServer(message) from error
        raise
