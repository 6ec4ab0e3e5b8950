"""For what is not an answer's way: a store that is away is waited for."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from continuo.workflows.local_limits import STORE_LIMIT

T = TypeVar("T")

STORE_AWAY = timedelta(seconds=5)
"""Until a store is asked again that was away for `STORE_LIMIT`."""


async def patiently(method: Callable[..., Awaitable[T]], *given: Any) -> T:
    """What a local activity answers, which is asked again for as long as the store is away."""
    while True:
        try:
            return await workflow.execute_local_activity_method(
                method, args=given, schedule_to_close_timeout=STORE_LIMIT
            )
        except ApplicationError as error:
            if error.non_retryable:
                raise
            workflow.logger.warning(f"a batch waits for its store: {error}")
        await workflow.sleep(STORE_AWAY)
