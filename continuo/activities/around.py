"""What every activity runs inside of, as context managers."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

Manager = Callable[[Sequence[Any]], AbstractAsyncContextManager[None]]


class Around(Interceptor):
    """Enters a new one of each of the managers before an activity, whose arguments they are given, the first one
    outermost."""

    def __init__(self, *managers: Manager) -> None:
        self._managers = managers

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Around(next, self._managers)


class _Around(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, managers: tuple[Manager, ...]) -> None:
        super().__init__(next)
        self._managers = managers

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        async with AsyncExitStack() as stack:
            for manager in self._managers:
                await stack.enter_async_context(manager(input.args))
            return await super().execute_activity(input)
