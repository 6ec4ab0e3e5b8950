"""A step that is asked no more than fits so many tokens."""

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from continuo.activities.sparing import Spared, Sparing
from continuo.decisions.compaction import SUMMARISE, LeftOut, before, left_out_of, note, shortened
from continuo.decisions.privilege import as_data
from continuo.jobs import Failure, Job, Outcome
from continuo.messages import Message, estimated_tokens
from continuo.patterns import Compress, Step
from continuo.patterns.walk import paths_asked
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.local_limits import STORE_LIMIT
from continuo.workflows.recorded import recorded
from continuo.workflows.run_account import run_account
from continuo.workflows.step import run_inline, run_step, try_step


@run_inline.register
async def compress(step: Compress, job: Job) -> Outcome:
    left_out = await recorded(job, "left out", left_out_of(job.request, step), LeftOut | None)
    if left_out is None:
        return await run_step(step.step, job, "step")
    summary = await _summary(step.summary, job, left_out) if step.summary and left_out.room else ""
    where = job.path or "compress"
    run_account().note(f"{where}: left out {left_out.turns} turns, about {left_out.tokens:,} tokens")
    stands = note(left_out.turns, summary)
    request = shortened(job.request, left_out.cut, stands)
    answer = await run_step(step.step, job.model_copy(update={"request": request}), "step")
    if not workflow.patched("saving-in-usd"):
        return answer
    saved = await _saved(step, job, left_out.tokens - estimated_tokens(stands))
    return answer if saved is None else answer.replaced(saved_usd=round(saved + (answer.saved_usd or 0.0), 9))


async def _saved(step: Compress, job: Job, tokens: int) -> float | None:
    """USD that the calls would have cost which were asked about so many tokens fewer, less what the summary did; None
    where there was none, or a price is unknown."""
    paths = set(paths_asked(step.step, job.of(step.step, "step").path))
    account = run_account()
    calls = tuple(call for call in account.calls if call.path in paths and call.status == "ok")
    summary = account.cost_under(job.of(step, "summary").path)
    if not calls or summary is None:
        return None
    spared = Spared(tokens=max(0, tokens), calls=calls)
    try:
        usd = await workflow.execute_local_activity_method(
            Sparing.spared_usd, spared, schedule_to_close_timeout=STORE_LIMIT
        )
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        return None
    return None if usd is None else usd - summary


async def _summary(model: Step, job: Job, left_out: LeftOut) -> str:
    """What the turns come to that are left out; nothing where the model fails."""
    gone = before(job.request, left_out.cut)
    question = Message(role="user", content=f"{SUMMARISE} Use at most {max(1, left_out.room // 2)} words.")
    request = job.step.passed("summary", job.request).model_copy(update={"messages": (*gone, question)})
    end = await try_step(model, job.model_copy(update={"request": request}), "summary")
    if isinstance(end, Failure) or not end.text:
        return ""
    text = end.text[: 4 * left_out.room]
    return as_data(text) if any(message.role == "tool" for message in gone) else text


@workflow.defn(name="Compress")
class CompressWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
