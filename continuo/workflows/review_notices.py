"""Telling those who must decide a review, beside its wait."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from continuo.activities.poster import OPTIONS
from continuo.activities.review_notices import ReviewNotices
from continuo.decisions.review import Case
from continuo.operations.review_notices import Happened, ReviewNotice, notices_of
from continuo.patterns.review import Notify
from continuo.temporal.failures import failure_of
from continuo.workflows.shield import end


class Telling:
    """What is told as long as the review is open. It is tried until it is taken, and what is not costs no decision."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def tell(self, to: Notify | None, case: Case, happened: Happened) -> None:
        if to is None:
            return
        run_id, now = workflow.info().run_id, workflow.now()
        for notice in notices_of(to, case, happened, run_id, now.timestamp()):
            self._tasks.append(asyncio.create_task(self._send(notice, case.due - now)))

    async def end(self) -> None:
        """Tell no more of what is over."""
        await end(self._tasks)

    async def _send(self, notice: ReviewNotice, left: timedelta) -> None:
        place = "slack" if notice.to.slack else "webhook"
        try:
            await workflow.execute_activity_method(
                ReviewNotices.tell,
                notice,
                summary=f"{notice.happened}: {place}",
                schedule_to_close_timeout=max(left, timedelta(seconds=1)),
                **OPTIONS,
            )
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.error(f"the {place} was not told of {notice.brief.id}: {failure_of(error).message}")
