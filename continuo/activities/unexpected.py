"""What no activity meant to raise ends it for good: to try it again would only pay again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.jobs import Failure

log = structlog.get_logger()


REACHING_OUT = {"call", "embed", "http", "python", "prune"}
"""The activities that ask others. Those that only ask our stores may be tried again."""


@asynccontextmanager
async def final_if_unexpected() -> AsyncIterator[None]:
    """For the activities in `REACHING_OUT`."""
    try:
        yield
    except ApplicationError:
        raise
    except Exception as error:
        if activity.info().activity_type not in REACHING_OUT:
            raise
        raise unexpected(error) from error


def unexpected(error: Exception) -> ApplicationError:
    """The final error for something that is nobody's failure but ours, with a line in the log."""
    log.error("an unexpected error", exc_info=error)
    message = f"unexpected {type(error).__name__}: {error}"
    return ApplicationError(
        message, Failure(type="internal_error", message=message), type="internal_error", non_retryable=True
    )
