"""What no activity meant to raise ends it for good: to try it again would only pay again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.jobs import Failure

log = structlog.get_logger()


@asynccontextmanager
async def final_if_unexpected() -> AsyncIterator[None]:
    """For the activities that reach over the network, which are those with a heartbeat; others only ask our stores."""
    try:
        yield
    except ApplicationError:
        raise
    except Exception as error:
        if activity.info().heartbeat_timeout is None:
            raise
        raise unexpected(error) from error


def unexpected(error: Exception) -> ApplicationError:
    """The final error for something that is nobody's failure but ours, with a line in the log."""
    log.error("an unexpected error", exc_info=error)
    message = f"unexpected {type(error).__name__}: {error}"
    return ApplicationError(
        message, Failure(type="internal_error", message=message), type="internal_error", non_retryable=True
    )
