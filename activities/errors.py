"""From an error to a retry posture, in this one place: what Temporal tries again, when, and what it never does."""

import random
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.errors import ProviderError
from continuo.jobs import Failure
from continuo.patterns import Retry
from continuo.retry import delay

log = structlog.get_logger()

T = TypeVar("T")


async def unless_broken(what: str, work: Awaitable[T]) -> T | None:
    """What `work` comes to; None, and a line in the log, when that of which an answer does not depend fails."""
    try:
        return await work
    except Exception as error:
        log.warning(f"{what} is broken", error=f"{type(error).__name__}: {error}")
        return None


def failed_attempts() -> int:
    """How often this activity has failed so far, not counting attempts that died with their worker.

    Kept in the heartbeat's details, which the server hands to the next attempt: a killed process must
    not use up the attempts that are meant for an ailing provider.
    """
    details = activity.info().heartbeat_details
    return int(details[0]) if details else 0


def give_up_or_retry(error: ProviderError, failure: Failure, retry: Retry) -> ApplicationError:
    """The error for Temporal: final when the provider says so or the attempts are used up."""
    failures = failed_attempts() + 1
    final = not error.retryable or failures >= retry.attempts
    if not final:
        activity.heartbeat(failures)
    pause = delay(retry, failures, error.retry_after, random.random())
    log.warning("attempt failed", type=failure.type, error=failure.message, final=final)
    return ApplicationError(
        failure.message,
        failure,
        type=failure.type,
        non_retryable=final,
        next_retry_delay=timedelta(seconds=pause),
    )
