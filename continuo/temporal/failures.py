"""From what Temporal raises to the `Failure` that says why, and back."""

from temporalio.exceptions import ApplicationError, TimeoutError

from continuo.bounded import bounded
from continuo.jobs import Failure

WORKER_LOST = "worker_lost"
"""The type of the failure of an activity that nobody answered for."""

MAX_MESSAGE = 4000
"""Characters of a message: a history holds it in full, once for each workflow that failed of it."""

MAX_TEXT = 16 * 2**20
"""Bytes of a text that is made of answers: as many as one answer may have."""


def failure_of(error: BaseException) -> Failure:
    """Why a step failed: the innermost cause, with the calls made until then."""
    cause: BaseException = error
    while not (isinstance(cause, ApplicationError) and cause.details) and cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, ApplicationError) and cause.details:
        return Failure.model_validate(cause.details[0])
    if isinstance(cause, TimeoutError):
        return Failure(type=WORKER_LOST, message="its worker died, or was too slow to tell")
    return Failure(type=getattr(cause, "type", None) or type(cause).__name__, message=str(cause))


def failed(failure: Failure) -> ApplicationError:
    """The error that ends a step for good; only an activity's attempts are retried, never a pattern.

    It tells no more of the failure than a history can hold.
    """
    message = failure.message
    if len(message) > MAX_MESSAGE:
        failure = failure.model_copy(update={"message": f"{message[: MAX_MESSAGE - 1]}…"})
    return ApplicationError(failure.message, bounded(failure), type=failure.type, non_retryable=True)


def sized(text: str, what: str) -> str:
    """The text. Raises a failure of type `TooLarge`, which says `what` it is, if it has more than `MAX_TEXT` bytes."""
    if (size := len(text.encode())) > MAX_TEXT:
        message = f"{what} has {size:,} bytes, more than {MAX_TEXT:,}; ask for shorter answers, or for fewer"
        raise failed(Failure(type="TooLarge", message=message))
    return text
