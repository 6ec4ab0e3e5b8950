"""From an error to a retry posture, in this one place: what Temporal tries again, when, and what it never does."""

import random
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.errors import ProviderError
from continuo.jobs import Failure
from continuo.patterns import Retry
from continuo.retry import delay


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
    activity.heartbeat(failures)
    pause = delay(retry, failures, error.retry_after, random.random())
    return ApplicationError(
        failure.message,
        failure,
        type=failure.type,
        non_retryable=not error.retryable or failures >= retry.attempts,
        next_retry_delay=timedelta(seconds=pause),
    )
