"""The worker's side of the breakers: what it knows of each provider, and what it tells the entity that owns it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from continuo.activities.errors import unless_broken
from continuo.config.catalog import BreakerPolicy
from continuo.errors import ProviderError
from continuo.protection.breaker import QUEUE, TYPE, CallEnd, State, ill, workflow_id
from continuo.stores.board import Board

REFRESH = 0.5
"""Seconds between two looks at the board: so late may a worker learn what others have found."""

RPC_TIMEOUT = timedelta(seconds=2)
"""The server must not hold up a call for longer than that."""


class Breakers:
    """A closed breaker costs a call no more than a look at a dictionary."""

    def __init__(self, board: Board, client: Client) -> None:
        self._board = board
        self._client = client
        self._known: dict[str, State] = {}
        # Providers that have failed here since the last answer that was told of.
        self._failing: set[str] = set()
        self._reported: dict[str, int] = {}
        # Providers whose probe somebody else has, or nobody granted, since the last look at the board.
        self._probed: set[str] = set()
        self._telling: set[asyncio.Task[None]] = set()

    @activity.defn(name="publish_breaker")
    async def publish(self, state: State) -> None:
        """A local activity of the entity: show its state to all workers."""
        await self._board.publish(state)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Inside, what others have found is known after `REFRESH` seconds."""
        self._known = await self._board.all()
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.gather(*self._telling)

    def check(self, provider: str) -> None:
        """Raise `ProviderError` for a provider that is to be left alone."""
        state = self._known.get(provider)
        if state is not None and state.state == "open" and (state.until is None or datetime.now(UTC) < state.until):
            raise _refused(state)
        if provider in self._probed:
            raise _refused(self._state(provider))

    def ailing(self, provider: str) -> bool:
        """Whether a call of it would be a probe."""
        return self._state(provider).state != "closed"

    @asynccontextmanager
    async def guard(self, provider: str, breaker: BreakerPolicy, holder: str, lease: float) -> AsyncIterator[None]:
        """Inside, the provider is called once, by `holder`, for `lease` seconds at most.

        Raises `ProviderError` when it is to be left alone. How the call ended is told to the entity, if it matters.
        """
        self.check(provider)
        probes = self.ailing(provider)
        if probes:
            await self._probe(provider, breaker, holder, lease)
        try:
            yield
        except ProviderError as error:
            if ill(error, breaker) and (probes or self._counts(provider)):
                self._failing.add(provider)
                why = f"{error.kind}: {error}"
                await self._tell(provider, CallEnd(ended="failed", holder=holder, breaker=breaker, why=why))
            elif probes:
                await self._tell(provider, CallEnd(ended="released", holder=holder, breaker=breaker))
            raise
        except BaseException:
            if probes:
                await self._tell(provider, CallEnd(ended="released", holder=holder, breaker=breaker))
            raise
        if probes or self._is_news(provider):
            # The answer is paid for, and on its way to the journal: it waits for nobody.
            self._tell_later(provider, CallEnd(ended="succeeded", holder=holder, breaker=breaker))

    def _counts(self, provider: str) -> bool:
        """Whether a failure would change anything: an outage must not flood an entity that knows of it."""
        state = self._state(provider)
        return state.state == "closed" and not state.forced

    def _is_news(self, provider: str) -> bool:
        """Whether an answer ends a row of failures, here or at others, that has not been told of."""
        state = self._known.get(provider)
        counted = state is not None and state.failures > 0 and self._reported.get(provider) != state.version
        if counted and state is not None:
            self._reported[provider] = state.version
        if provider in self._failing:
            self._failing.discard(provider)
            return True
        return counted

    def _tell_later(self, provider: str, end: CallEnd) -> None:
        """Tell it off the call's path, and still before the worker ends."""
        task = asyncio.create_task(self._tell(provider, end))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, provider: str, end: CallEnd) -> None:
        """Start the entity, if it does not run yet, and signal how a call has ended."""
        telling = self._client.start_workflow(
            TYPE,
            self._state(provider),
            id=workflow_id(provider),
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="ended",
            start_signal_args=[end],
            static_summary=f"breaker of {provider}",
            rpc_timeout=RPC_TIMEOUT,
        )
        await unless_broken(f"the breaker of {provider}", telling)

    async def _probe(self, provider: str, breaker: BreakerPolicy, holder: str, lease: float) -> None:
        """Get the one probe, of all workers. Raises `ProviderError` when somebody else has it."""
        entity: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            TYPE,
            self._state(provider),
            id=workflow_id(provider),
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"breaker of {provider}",
        )
        if self._telling:
            # What came of the probe before, or this one would be refused.
            await asyncio.wait(self._telling)
        try:
            await self._client.execute_update_with_start_workflow(
                "probe", args=[holder, lease], start_workflow_operation=entity, rpc_timeout=RPC_TIMEOUT
            )
        except WorkflowUpdateFailedError as error:
            self._probed.add(provider)
            raise _refused(self._state(provider)) from error
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            self._probed.add(provider)
            # It has the error too, and would complain that nobody took it.
            await asyncio.gather(entity.workflow_handle(), return_exceptions=True)
            # The probe may yet be granted, when nobody waits for it any more.
            self._tell_later(provider, CallEnd(ended="released", holder=holder, breaker=breaker))
            if isinstance(error.__cause__, asyncio.CancelledError):
                raise error.__cause__ from None
            raise _refused(self._state(provider)) from error

    def _state(self, provider: str) -> State:
        return self._known.get(provider) or State(provider=provider)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(REFRESH)
            known = await unless_broken("the board of breakers", self._board.all())
            self._known = self._known if known is None else known
            self._probed.clear()


def _refused(state: State) -> ProviderError:
    name = state.provider
    until = "it is closed" if state.until is None else f"{state.until:%H:%M:%S} UTC"
    what = "is half-open, and another call probes it" if state.state != "open" else f"is open until {until}"
    return ProviderError(
        "breaker_open", f"{name}: its breaker {what} ({state.why:.200}); to close it: continuo breakers reset {name}"
    )
