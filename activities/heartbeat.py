"""Heartbeats for every activity, so that a dead worker is noticed and a cancellation reaches the HTTP request."""

import asyncio
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class HeartbeatInterceptor(Interceptor):
    """Beats `every` so many seconds while an activity runs that has a heartbeat time-out."""

    def __init__(self, every: float) -> None:
        self._every = every

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Heartbeats(next, self._every)


class _Heartbeats(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, every: float) -> None:
        super().__init__(next)
        self._every = every

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        if info.heartbeat_timeout is None:
            return await super().execute_activity(input)
        pulse = asyncio.create_task(_beat(self._every))
        try:
            return await super().execute_activity(input)
        finally:
            pulse.cancel()


async def _beat(every: float) -> None:
    details = activity.info().heartbeat_details
    while True:
        await asyncio.sleep(every)
        # A beat replaces the details of the attempts before, so it repeats them.
        activity.heartbeat(*details)
