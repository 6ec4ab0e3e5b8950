"""How an activity that reaches over the network is run, whatever it does there."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy

from activities.models import LOST_WORKERS, STORE_TIME
from continuo.patterns import Call, Http

HEARTBEAT_TIMEOUT = timedelta(seconds=10)
STORE_LIMIT = timedelta(seconds=60)
"""For a local activity that asks a store: longer than that itself waits for a lock."""


class Options(TypedDict):
    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


def options(step: Call | Http) -> Options:
    """The step's own numbers. The HTTP time-out strikes first, since it knows what it waited for."""
    retry = step.retry
    return Options(
        start_to_close_timeout=timedelta(seconds=step.timeout + STORE_TIME),
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=retry.initial),
            backoff_coefficient=retry.factor,
            maximum_interval=timedelta(seconds=max(retry.initial, retry.maximum)),
            maximum_attempts=retry.attempts + LOST_WORKERS,
        ),
    )
