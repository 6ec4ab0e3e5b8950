"""A batch: its items as runs of their own, so many at once, for as long as it takes; and it grows with none of them."""

import asyncio
from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import VersioningBehavior, WorkflowIDReusePolicy
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError, is_cancelled_exception

from continuo.activities.batches import Batches
from continuo.decisions.batch import may_begin
from continuo.jobs import CANCELLED, Failure, Outcome
from continuo.operations import batches
from continuo.operations.batches import (
    TYPE,
    BatchState,
    Ended,
    Item,
    Looked,
    Page,
    Position,
    Standing,
    Tally,
    Window,
    run_id,
)
from continuo.temporal.attributes import memo, started
from continuo.temporal.failures import failure_of
from continuo.temporal.task_timeout import task_timeout
from continuo.workflows.batch_end import closed
from continuo.workflows.patience import patiently
from continuo.workflows.shield import to_the_end

FIRST_LOOK, LONGEST_PAUSE = 0.1, 30.0
"""Seconds until it is looked what became of items that an earlier run has begun; the pauses double."""

KEPT_WITHIN = 1.0
"""Seconds for which an end may wait for others, to be kept together with them: the history has it already."""


@workflow.defn(name=TYPE, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class BatchWorkflow:
    """It continues as new when its history is long; items that are under way then go on, and are looked after.

    A cancellation cancels them as well; the signal `stop` lets them end, and begins no more.
    """

    @workflow.init
    def __init__(self, position: Position) -> None:
        self._batch = position.model_copy(update={"open": ()})
        self._open = set[int]()
        self._read: deque[Item] = deque()
        self._last = False
        self._running: dict[int, asyncio.Task[None]] = {}
        self._starting: set[int] = set()
        self._ends: list[Ended] = []
        self._tally = Tally()
        self._window: Window | None = None
        self._stopped = position.stopped
        self._look_is_due = False
        self._reminder: asyncio.Task[None] | None = None
        self._keep_is_due = False
        self._keeping: asyncio.Task[None] | None = None
        # Batches of an earlier version kept each end at once.
        self._together = workflow.patched("ends-kept-together")

    @workflow.run
    async def run(self, position: Position) -> Tally:
        begun = await patiently(Batches.begin, position)
        self._terms, self._tally = begun.terms, begun.tally
        # Of a schedule's time, whose items were being copied when there was nothing yet to stop.
        if begun.terms.cancelling and workflow.patched("cancelled-before-it-began"):
            self._stopped = True
        self._look_after(position.open)
        try:
            state = await self._work()
        except asyncio.CancelledError:
            await to_the_end(self._cancel())
            raise
        await self._close(state)
        return self._tally

    @workflow.signal
    def stop(self) -> None:
        """Begin no more items; it ends when those under way have."""
        self._stopped = True

    @workflow.query
    def standing(self) -> Standing:
        """How many items are in which state, and which are under way."""
        return Standing(tally=self._tally, in_flight=tuple(sorted(self._in_flight)))

    async def _work(self) -> BatchState:
        while True:
            await self._look_at_the_clock()
            self._begin_more()
            if not self._ends and (state := self._end()) is not None:
                return state
            if self._is_full and not self._ends and not self._starting:
                workflow.continue_as_new(self._position())
            try:
                await workflow.wait_condition(self._is_due, timeout=self._closed_for())
            except TimeoutError:
                continue
            await self._step()

    @property
    def _in_flight(self) -> set[int]:
        return self._running.keys() | self._open

    @property
    def _is_full(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() > batches.MOST_EVENTS

    def _is_due(self) -> bool:
        if (self._ends and self._keep_is_due) or self._look_is_due or self._reads() or self._end() is not None:
            return True
        return bool(self._read and self._may_begin()) or (self._is_full and not self._starting)

    def _end(self) -> BatchState | None:
        """How it has ended, if nothing is under way and nothing may be begun."""
        if self._in_flight:
            return None
        if not self._tally.waiting or (self._last and not self._read):
            return "done"
        if self._stopped:
            return "stopped"
        return None if self._affords() else "spent"

    def _affords(self) -> bool:
        terms, tally = self._terms, self._tally
        return may_begin(
            window=terms.window,
            in_flight=len(self._in_flight),
            budget=terms.budget_usd,
            spent=tally.cost_usd,
            ended=tally.ended,
        )

    def _may_begin(self) -> bool:
        return not self._stopped and not self._is_full and self._closed_for() is None and self._affords()

    def _reads(self) -> bool:
        return not self._last and len(self._read) < self._terms.window and self._may_begin()

    def _closed_for(self) -> timedelta | None:
        """How long until items may begin; None where they may now."""
        wait = self._window.opens - workflow.now() if self._window else timedelta()
        return wait if wait > timedelta() else None

    async def _look_at_the_clock(self) -> None:
        hours = self._terms.off_peak
        if hours is not None and (self._window is None or self._window.closes <= workflow.now()):
            self._window = await patiently(Batches.window, hours, workflow.now())

    def _begin_more(self) -> None:
        # What may begin within the hours does so: no time passes here.
        while self._read and self._may_begin():
            item = self._read.popleft()
            self._starting.add(item.number)
            self._running[item.number] = asyncio.create_task(self._run(item))

    async def _run(self, item: Item) -> None:
        try:
            child = await self._start(item)
            self._starting.discard(item.number)
            self._ended(Ended(number=item.number, outcome=await child))
        except WorkflowAlreadyStartedError:
            # Somebody has begun it before, and may have ended it: it is not done twice.
            self._look_after([item.number])
        except FailureError as error:
            self._ended(Ended(number=item.number, failure=_failure(error)))
        finally:
            self._starting.discard(item.number)
            del self._running[item.number]

    def _ended(self, end: Ended) -> None:
        self._ends.append(end)
        self._tally += end.counted()
        if not self._together or self._stopped:
            self._keep_is_due = True
        elif self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep_soon())

    async def _keep_soon(self) -> None:
        await workflow.sleep(KEPT_WITHIN)
        self._keep_is_due = True

    async def _start(self, item: Item) -> workflow.ChildWorkflowHandle[Any, Outcome]:
        """As the door starts it. Its batch keeps how it ends, so that a failed one has no dead letter."""
        job, batch = item.job(self._terms).begun(), self._batch
        return await workflow.start_child_workflow(
            type(job.step).__name__,
            job,
            id=run_id(batch.tenant, batch.id, item.number),
            task_queue=job.context.priority,
            result_type=Outcome,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            search_attributes=started(job.context),
            task_timeout=task_timeout(job.step),
            memo=memo(job),
            static_summary=f"item {item.number} of {batch.id}",
        )

    async def _step(self) -> None:
        """Keep what has ended, and read what comes next."""
        if self._look_is_due:
            await self._look()
        wanted = 2 * self._terms.window - len(self._read) if self._reads() else 0
        if not self._ends and not wanted:
            return
        page = await self._keep(wanted)
        if wanted:
            known = self._in_flight | {end.number for end in self._ends}
            self._read.extend(item for item in page.items if item.number not in known)
            self._last = page.last
            if page.items:
                self._batch = self._batch.model_copy(update={"after": page.items[-1].number})
        self._show()

    async def _keep(self, wanted: int = 0) -> Page:
        ends, self._keep_is_due = tuple(self._ends), False
        page: Page = await patiently(Batches.step, self._batch, ends, wanted)
        # A cancellation meanwhile has left them here.
        del self._ends[: len(ends)]
        return page

    def _position(self) -> Position:
        after = self._read[0].number - 1 if self._read else self._batch.after
        open_now = tuple(sorted(self._in_flight))
        return self._batch.model_copy(update={"after": after, "open": open_now, "stopped": self._stopped})

    def _look_after(self, numbers: Iterable[int]) -> None:
        self._open.update(numbers)
        if self._open and (self._reminder is None or self._reminder.done()):
            self._reminder = asyncio.create_task(self._remind())

    async def _remind(self) -> None:
        pause = FIRST_LOOK
        while self._open:
            await workflow.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            self._look_is_due = True
            await workflow.wait_condition(lambda: not self._look_is_due)

    async def _look(self) -> None:
        batch = self._batch.model_copy(update={"open": tuple(sorted(self._open))})
        looked: Looked = await patiently(Batches.look, batch)
        self._open -= {*looked.ended, *looked.unknown}
        self._tally += looked.tally
        if looked.unknown:
            # Nobody has begun them after all: from there on all that waits is read again.
            self._read.clear()
            self._last = False
            self._batch = self._batch.model_copy(update={"after": min(looked.unknown) - 1})
        self._look_is_due = False

    async def _cancel(self) -> None:
        """What is under way is cancelled too, and its end is kept."""
        self._stopped, batch = True, self._batch
        for number in sorted(self._open):
            handle = workflow.get_external_workflow_handle(run_id(batch.tenant, batch.id, number))
            try:
                await handle.cancel()
            except FailureError:
                workflow.logger.info(f"item {number} had ended before it was cancelled")
        for task in self._running.values():
            task.cancel()
        while self._in_flight:
            await workflow.wait_condition(lambda: self._look_is_due or bool(self._ends or not self._in_flight))
            await self._step()
        await self._close("cancelled")

    async def _close(self, state: BatchState) -> None:
        if self._ends:
            await self._keep()
        await closed(self._batch, self._terms, state, stopped=self._stopped)
        self._show(state)

    def _show(self, state: BatchState = "running") -> None:
        tally = self._tally
        workflow.set_current_details(
            f"**{state}**: {tally.ended:,} of {tally.items:,} items have ended, {tally.failed:,} of them failed, for "
            f"${tally.cost_usd:.6f}; {len(self._in_flight):,} are under way.\n\n"
            "Send the signal `stop` to begin no more of them."
        )


def _failure(error: FailureError) -> Failure:
    if is_cancelled_exception(error):
        return Failure(type=CANCELLED, message="the run was cancelled before it had an answer")
    return failure_of(error)
