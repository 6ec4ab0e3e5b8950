"""Look the answer up, else run the step and keep what it answers."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from continuo.activities.caching import Caching
from continuo.activities.models import ModelCalls
from continuo.decisions.ruled import hit
from continuo.jobs import Job, Outcome
from continuo.patterns import Cached, Call, Retry
from continuo.patterns.choices import Semantic
from continuo.protection.rate_limits import Wait
from continuo.stores.cache import Lookup
from continuo.temporal.activity_options import options
from continuo.workflows.accounted import accounted, ending
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.local_limits import STORE_LIMIT
from continuo.workflows.run_account import run_account
from continuo.workflows.shield import check_cancelled, to_the_end
from continuo.workflows.step import run_inline, run_step

FIRST_WAIT, GROWTH, LONGEST_WAIT = 0.05, 1.5, 60.0
"""Seconds between two looks at what another run is under way to: a third of the wait so far. At most a minute, and not
less after long, since each look is a few events of a history that has an end."""


@run_inline.register
async def cached(step: Cached, job: Job) -> Outcome:
    where = job.path or "cache"
    lookup, wait = await _look_up(job, waited=False), FIRST_WAIT
    while lookup.wait:
        await workflow.sleep(wait)
        lookup, wait = await _look_up(job, waited=True), min(LONGEST_WAIT, wait * GROWTH)
    if lookup.outcome is not None:
        run_account().note(hit(job))
        return lookup.outcome
    try:
        if step.semantic is not None and (near := await _look_near(step.semantic, job)) is not None:
            run_account().note(f"{where}: hit by meaning")
            await _keep(job, None)
            return near
        run_account().note(f"{where}: miss")
        outcome = await run_step(step.step, job, "miss")
    except (FailureError, asyncio.CancelledError):
        await to_the_end(_keep(job, None))
        raise
    spent = run_account().cost_under(job.of(step.step, "miss").path)
    await to_the_end(_keep(job, outcome.model_copy(update={"cost_usd": spent})))
    return outcome


async def _look_up(job: Job, *, waited: bool) -> Lookup:
    return await workflow.execute_local_activity_method(
        Caching.look_up, args=[job, waited], schedule_to_close_timeout=STORE_LIMIT
    )


async def _look_near(semantic: Semantic, job: Job) -> Outcome | None:
    """The answer to a question that means the same. A failed embedding is a miss: nobody waits for a second try."""
    embedding = Call(model=semantic.model, timeout=10, retry=Retry(attempts=1))
    embedding_job = job.of(embedding, "embedding")
    check_cancelled()
    summary = f"{embedding_job.path}: {semantic.model}"
    try:
        async with accounted(embedding_job) as id:
            embedded = await workflow.execute_activity_method(
                ModelCalls.embed,
                embedding_job,
                activity_id=id,
                summary=summary,
                cancellation_type=ending(id),
                **options(embedding),
            )
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        return None
    if isinstance(embedded, Wait):
        return None
    run_account().include(embedded)
    # What an earlier version recorded has it in place of the text.
    vector = embedded.embedding or embedded.text
    lookup = await workflow.execute_local_activity_method(
        Caching.look_near, args=[job, vector], schedule_to_close_timeout=STORE_LIMIT
    )
    return lookup.outcome


async def _keep(job: Job, outcome: Outcome | None) -> None:
    await workflow.execute_local_activity_method(
        Caching.keep, args=[job, outcome], schedule_to_close_timeout=STORE_LIMIT
    )


@workflow.defn(name="Cached")
class CachedWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
