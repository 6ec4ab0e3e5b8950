"""From what Temporal raises to the `Failure` that says why, and back."""

from temporalio.exceptions import ApplicationError

from continuo.jobs import Failure


def failure_of(error: BaseException) -> Failure:
    """Why a step failed: the innermost cause, with the calls made until then."""
    cause: BaseException = error
    while not (isinstance(cause, ApplicationError) and cause.details) and cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, ApplicationError) and cause.details:
        return Failure.model_validate(cause.details[0])
    return Failure(type=getattr(cause, "type", None) or type(cause).__name__, message=str(cause))


def failed(failure: Failure) -> ApplicationError:
    """The error that ends a step for good; only an activity's attempts are retried, never a pattern."""
    return ApplicationError(failure.message, failure, type=failure.type, non_retryable=True)
