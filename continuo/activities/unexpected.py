"""What no activity meant to raise ends it for good: to try it again would only pay again."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.jobs import Failure

log = structlog.get_logger()


F = TypeVar("F", bound=Callable[..., object])

_REACHING_OUT: set[str] = set()


def reaching_out(activity: F) -> F:
    """Marks an activity that asks others, above its `activity.defn`; one that only asks stores may be tried again."""
    _REACHING_OUT.add(vars(activity)["__temporal_activity_definition"].name)
    return activity


@asynccontextmanager
async def final_if_unexpected() -> AsyncIterator[None]:
    """For the activities that are marked as `reaching_out`."""
    try:
        yield
    except ApplicationError:
        raise
    except Exception as error:
        if activity.info().activity_type not in _REACHING_OUT:
            raise
        raise unexpected(error) from error


def unexpected(error: Exception) -> ApplicationError:
    """The final error for something that is nobody's failure but ours, with a line in the log."""
    log.error("an unexpected error", exc_info=error)
    message = f"unexpected {type(error).__name__}: {error}"
    return ApplicationError(
        message, Failure(type="internal_error", message=message), type="internal_error", non_retryable=True
    )
