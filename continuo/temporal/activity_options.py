"""How an activity that reaches over the network is run, whatever it does there."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy

from continuo.patterns import Call, Http, Mcp, Python

HEARTBEAT_TIMEOUT = timedelta(seconds=10)

PLAIN_CALL = "plain_call"
"""The type of the activity that is a run of its own, a call that no workflow has started."""

LOST_WORKERS = 10
"""Attempts that may die with their worker, on top of the step's own: enough for any deployment,
and a request that kills every process it meets still comes to an end."""

STORE_TIME = 60.0
"""Seconds of an attempt, beside its time-out, for the stores: to wait for them before it asks, and to record after."""


class LocalOptions(TypedDict):
    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


class Options(LocalOptions):
    heartbeat_timeout: timedelta


def options(step: Call | Http | Mcp | Python, *, once: bool = False) -> Options:
    """The step's own numbers. The HTTP time-out strikes first, since it knows what it waited for. What is to be done
    `once` is not tried again, whatever becomes of it."""
    given = Options(heartbeat_timeout=HEARTBEAT_TIMEOUT, **local_options(step))
    return Options(**{**given, "retry_policy": RetryPolicy(maximum_attempts=1)}) if once else given


def local_options(step: Call | Http | Mcp | Python) -> LocalOptions:
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
