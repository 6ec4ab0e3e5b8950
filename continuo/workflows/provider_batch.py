"""A batch at a provider: its items go into batches of the provider's own, and what is left unanswered goes again."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy, VersioningBehavior
from temporalio.exceptions import ActivityError, is_cancelled_exception

from continuo.activities.batches import Batches
from continuo.activities.provider_batches import ProviderBatches
from continuo.decisions.batch import Hurry, Stance, hurry
from continuo.operations import batches, provider_batches
from continuo.operations.batches import TYPE as SINGLE
from continuo.operations.batches import BatchState, Position, Standing, Tally
from continuo.operations.provider_batches import TYPE, Closing, How, Look
from continuo.temporal.activity_options import HEARTBEAT_TIMEOUT
from continuo.workflows.batch_end import closed
from continuo.workflows.patience import patiently
from continuo.workflows.shield import check_cancelled, to_the_end

T = TypeVar("T")

LONGEST = timedelta(hours=2)
"""For one attempt to send a batch, or to take its answers."""

TRIES = 20
"""Attempts to take the answers of a batch that has ended: some 3 hours."""


@workflow.defn(name=TYPE, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class ProviderBatchWorkflow:
    """In rounds: all that waits is sent, then waited for, and the answers are taken; what came back unanswered waits
    for the next round. Where that comes to nothing, or time runs out, it continues as a batch of single calls.

    The signal `stop` and a cancellation end the provider's batches; what these have answered by then is taken.
    """

    @workflow.init
    def __init__(self, position: Position) -> None:
        since = position.since or workflow.info().start_time
        self._batch = position.model_copy(update={"since": since, "after": 0})
        self._tally = Tally()
        self._stopped = position.stopped
        self._missed = Counter[str]()
        self._under_way = 0

    @workflow.run
    async def run(self, position: Position) -> Tally:
        begun = await patiently(Batches.begin, self._batch)
        self._terms, self._tally = begun.terms, begun.tally
        try:
            state = await self._work()
        except (asyncio.CancelledError, ActivityError) as error:
            if is_cancelled_exception(error):
                await to_the_end(self._cancel())
            raise
        if state is None:
            rest = Position(tenant=self._batch.tenant, id=self._batch.id, stopped=self._stopped)
            workflow.continue_as_new(args=[rest], workflow=SINGLE)
        await self._close(state)
        return self._tally

    @workflow.signal
    def stop(self) -> None:
        """Send no more, and end what is under way."""
        self._stopped = True

    @workflow.query
    def standing(self) -> Standing:
        """How many items are in which state. None of them is a run."""
        return Standing(tally=self._tally, in_flight=())

    async def _work(self) -> BatchState | None:
        """How it has ended; None where the rest is to be asked for by single calls."""
        # What an earlier run has sent.
        await self._taken_back()
        idle = 0
        while self._tally.waiting:
            if self._stopped:
                return "stopped"
            if self._stance != "wait" or idle == provider_batches.IDLE_ROUNDS:
                return None
            before = self._tally.waiting
            money = await self._sent()
            await self._taken_back()
            if self._tally.waiting < before:
                idle = 0
            elif not money:
                return "spent"
            else:
                idle += 1
                await self._pause(provider_batches.IDLE_PAUSE, lambda: self._stopped)
        return "done"

    @property
    def _hurry(self) -> Hurry | None:
        terms, since = self._terms, self._batch.since
        if terms.at_provider is None or terms.at_provider.within is None or since is None:
            return None
        until = since + timedelta(seconds=terms.at_provider.within)
        return hurry(until, self._tally.waiting, terms.window)

    @property
    def _stance(self) -> Stance:
        return "wait" if (soon := self._hurry) is None else soon.stance(workflow.now())

    async def _sent(self) -> bool:
        """Send all that waits, as far as there is time and money; whether there was money for all of it."""
        batch = self._batch
        while not self._stopped and self._stance == "wait":
            trying = asyncio.create_task(self._perform(ProviderBatches.send, batch))
            sending = await self._unless_late(trying)
            if sending is None:
                break
            batch = batch.model_copy(update={"after": sending.after})
            if sending.last or not sending.money:
                return sending.money
        return True

    async def _unless_late(self, trying: asyncio.Task[T]) -> T | None:
        """What comes of it; None where it is given up, since there is no more time."""
        try:
            await self._pause(None, lambda: self._stopped or trying.done())
        finally:
            if not trying.done():
                trying.cancel()
                # What is just being sent is taken back only when it is known.
                await to_the_end(workflow.wait([trying]))
        try:
            return await trying
        except (ActivityError, asyncio.CancelledError) as error:
            if is_cancelled_exception(error):
                return None
            raise

    async def _pause(self, seconds: float | None, sooner: Callable[[], bool]) -> None:
        """Wait so long, or until it is time to hurry, or for what comes `sooner`."""
        waits = [] if seconds is None else [timedelta(seconds=seconds)]
        waits += [turn - workflow.now() for turn in self._hurry or () if turn > workflow.now()]
        with suppress(TimeoutError):
            await workflow.wait_condition(sooner, timeout=min(waits, default=None))

    async def _taken_back(self) -> None:
        """Wait until all that was sent has ended, and keep what it came to."""
        pause, ending = provider_batches.FIRST_LOOK, False
        while True:
            looked = await self._perform(ProviderBatches.look, self._batch)
            self._tally = looked.tally
            left = [look for look in looked.batches if not await self._closed(look)]
            self._under_way = len(left)
            self._show()
            if not left:
                return
            if not ending and (self._stopped or self._stance != "wait"):
                ending, pause = True, provider_batches.FIRST_LOOK
                await self._told_to_end()
            if self._is_full and not ending:
                workflow.continue_as_new(self._batch.model_copy(update={"stopped": self._stopped}))
            await self._pause(pause, lambda: self._stopped and not ending)  # noqa: B023
            pause = min(2 * pause, provider_batches.LONGEST_PAUSE)

    async def _closed(self, look: Look) -> bool:
        """Whether it is under way no more; then what it came to is kept."""
        self._missed[look.token] = self._missed[look.token] + 1 if look.state == "missing" else 0
        how: How | None = None
        if look.state in ("ended", "failed"):
            how = "ended" if look.state == "ended" else "failed"
        elif look.state == "overdue" or self._missed[look.token] == provider_batches.MISSED or self._stance == "leave":
            how = "lost"
        if how is None:
            return False
        await self._keep(Closing(token=look.token, how=how, why=look.why))
        return True

    async def _keep(self, closing: Closing) -> None:
        try:
            closed = await self._perform(ProviderBatches.close, self._batch, closing, tries=TRIES)
        except ActivityError as error:
            if is_cancelled_exception(error) or closing.how == "lost":
                raise
            workflow.logger.error(f"the answers of a provider's batch cannot be taken: {error.cause}")
            await self._keep(closing.model_copy(update={"how": "lost"}))
        else:
            self._tally = closed.tally

    async def _told_to_end(self) -> None:
        try:
            await self._perform(ProviderBatches.cancel, self._batch, tries=3)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning(f"a provider's batch could not be cancelled: {error.cause}")

    async def _perform(self, method: Callable[..., Awaitable[T]], *given: object, tries: int = 0) -> T:
        """With the provider away it is tried again for as long as it takes, or so many `tries`."""
        result = await workflow.execute_activity_method(
            method,
            args=given,
            start_to_close_timeout=LONGEST,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=RetryPolicy(
                initial_interval=timedelta(seconds=provider_batches.AWAY),
                maximum_interval=timedelta(seconds=provider_batches.AWAY_LONGEST),
                maximum_attempts=tries,
            ),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        check_cancelled()
        return result

    @property
    def _is_full(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() > batches.MOST_EVENTS

    async def _cancel(self) -> None:
        self._stopped = True
        await self._taken_back()
        await self._close("cancelled")

    async def _close(self, state: BatchState) -> None:
        await closed(self._batch, self._terms, state, stopped=self._stopped)
        self._show(state)

    def _show(self, state: BatchState = "running") -> None:
        tally = self._tally
        workflow.set_current_details(
            f"**{state}**: {tally.ended:,} of {tally.items:,} items have ended, {tally.failed:,} of them failed, for "
            f"${tally.cost_usd:.6f}; {self._under_way:,} batches are under way at the provider.\n\n"
            "Send the signal `stop` to end them."
        )
