"""How an activity that reaches over the network is run, whatever it does there."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy

from continuo.activities.models import LOST_WORKERS, STORE_TIME
from continuo.patterns import Call, Http, Python

HEARTBEAT_TIMEOUT = timedelta(seconds=10)
LOCAL_RETRIES = timedelta(seconds=1)
"""A longer pause before the next attempt of a local activity is a timer, in which no task of the workflow is held."""
STORE_LIMIT = timedelta(seconds=60)
"""For a local activity that asks a store: longer than that itself waits for a lock."""


class LocalOptions(TypedDict):
    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


class Options(LocalOptions):
    heartbeat_timeout: timedelta


def options(step: Call | Http | Python) -> Options:
    """The step's own numbers. The HTTP time-out strikes first, since it knows what it waited for."""
    return Options(heartbeat_timeout=HEARTBEAT_TIMEOUT, **local_options(step))


def local_options(step: Call | Http | Python) -> LocalOptions:
    """The same for a local activity, which needs no heartbeat: it dies with the workflow's own task."""
    retry = step.retry
    return LocalOptions(
        start_to_close_timeout=timedelta(seconds=step.timeout + STORE_TIME),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=retry.initial),
            backoff_coefficient=retry.factor,
            maximum_interval=timedelta(seconds=max(retry.initial, retry.maximum)),
            maximum_attempts=retry.attempts + LOST_WORKERS,
        ),
    )
