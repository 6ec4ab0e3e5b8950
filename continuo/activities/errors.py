"""From an error to a retry posture, in this one place: what Temporal tries again, when, and what it never does."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.decisions.backoff import delay, too_long
from continuo.errors import ProviderError
from continuo.jobs import Failure
from continuo.patterns import Retry
from continuo.stores.database import StoreUnavailable

log = structlog.get_logger()

T = TypeVar("T")


async def unless_broken(what: str, work: Awaitable[T]) -> T | None:
    """What `work` comes to; None, and a line in the log, when that of which an answer does not depend fails."""
    try:
        return await work
    except Exception as error:
        log.warning(f"{what} is broken", error=f"{type(error).__name__}: {error}")
        return None


STORE_PATIENCE = 20.0
"""Seconds in which an attempt waits for a store before it asks the provider."""


async def patiently(what: str, work: Callable[[], Awaitable[T]]) -> T:
    """What `work` returns, tried again while the store is away.

    Raises `ProviderError` of kind `store_unavailable` after `STORE_PATIENCE`; nothing was asked until then.
    """
    until, pause = time.monotonic() + STORE_PATIENCE, 0.1
    while True:
        try:
            return await work()
        except StoreUnavailable as error:
            if time.monotonic() + pause > until:
                message = f"{what} cannot be used: {error}"
                raise ProviderError("store_unavailable", message, retryable=True) from error
            log.warning(f"{what} is away, and waited for", error=str(error))
        await asyncio.sleep(pause)
        pause = min(pause * 2, 2.0)


def failed_attempts(before: int) -> int:
    """How often this activity has failed so far, not counting attempts that died with their worker; `before` are those
    of an earlier activity for the same.

    Kept in the heartbeat's details, with the names of the providers, which the server hands to the next attempt: a
    killed process must not use up the attempts that are meant for an ailing provider.
    """
    info = activity.info()
    if info.is_local:
        # Where the worker died, the count begins anew.
        return before + info.attempt - 1
    return int(info.heartbeat_details[0]) if info.heartbeat_details else before


def waits() -> int:
    """How often a call that is a run of its own has waited for its turn. Kept beside its failures."""
    details = activity.info().heartbeat_details
    return int(details[1]) if len(details) > 1 else 0


def failed_at() -> list[str]:
    """The providers at which this activity has failed so far, on whatever worker; a local one is not told."""
    details = activity.info().heartbeat_details
    return list(details[2]) if len(details) > 2 else []


def attempt_number(before: int) -> int:
    """The attempt's number, after those `before`. Each wait of a call that is a run of its own was one to Temporal
    too."""
    return before + activity.info().attempt - waits()


def give_up_or_retry(error: ProviderError, failure: Failure, retry: Retry, before: int = 0) -> ApplicationError:
    """The error for Temporal: final when the provider says so or the attempts are used up; `before` as above."""
    # An attempt that found no store has asked nobody, and is none of those meant for an ailing provider.
    failures = failed_attempts(before) + (error.kind != "store_unavailable")
    late = too_long(retry, error.retry_after)
    final = late or not error.retryable or failures >= retry.attempts
    if late:
        reason = f"it asks to wait {error.retry_after:,.0f} s, more than the policy's maximum of {retry.maximum:g} s"
        failure = failure.model_copy(update={"message": f"{failure.message}; {reason}"})
    pause = None
    if not final:
        if not activity.info().is_local:
            providers = (call.provider for call in failure.calls if call.provider)
            activity.heartbeat(failures, waits(), [*dict.fromkeys((*failed_at(), *providers))])
        pause = timedelta(seconds=delay(retry, failures, error.retry_after, random.random()))
    # What an upstream says may repeat the prompt: it is in the history alone.
    log.warning("attempt failed", type=failure.type, models=[call.model for call in failure.calls], final=final)
    return ApplicationError(
        failure.message,
        failure,
        type=failure.type,
        non_retryable=final,
        next_retry_delay=pause,
    )
