"""Steps that change the world, each with its way back: all of them happen, or none remains."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from continuo.data import MAX_SECONDS
from continuo.decisions.backoff import delay
from continuo.decisions.review import REJECTED, UNDECIDED
from continuo.jobs import Checkpoint, Failure, Job, Outcome
from continuo.operations.compensations import Resolution
from continuo.patterns import Review, Saga, SagaStep
from continuo.temporal.failures import failed, failure_of
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.shield import end, to_the_end
from continuo.workflows.step import run_step, try_step


@workflow.defn(name="Saga")
class SagaWorkflow(PatternWorkflow):
    """Always a workflow of its own, so that its log can be queried and its parked compensations resolved."""

    def __init__(self) -> None:
        super().__init__()
        self._parked: dict[str, Resolution | None] = {}

    @workflow.run
    async def run(self, job: Job) -> Outcome:
        assert isinstance(job.step, Saga)
        # Not the run's id, which changes when the run is reset: the way back must name what the way there named.
        identity = str(workflow.uuid4())
        return await self.answer(job, self._forward(job.step, job.model_copy(update={"saga": identity})))

    @workflow.query
    def log(self) -> list[Checkpoint]:
        """What happened to each step, oldest first."""
        return self.counted.checkpoints

    @workflow.query
    def parked(self) -> list[str]:
        """The steps whose compensation waits for a person."""
        return [name for name, resolution in self._parked.items() if resolution is None]

    @workflow.update
    def resolve(self, resolution: Resolution) -> None:
        """Decide what becomes of a parked compensation."""
        self._parked[resolution.step] = resolution

    @resolve.validator
    def _validate_resolve(self, resolution: Resolution) -> None:
        if resolution.step not in self.parked():
            raise ValueError(f"{resolution.step!r} is not parked; parked: {', '.join(self.parked()) or 'none'}")

    def _note(self, event: str) -> None:
        self.counted.note(event)
        workflow.set_current_details(
            "\n".join(f"- {entry.time:%H:%M:%S} {entry.name}" for entry in self.counted.checkpoints)
        )

    async def _forward(self, saga: Saga, job: Job) -> Outcome:
        begun: list[SagaStep] = []
        text = ""
        try:
            for step in saga.steps:
                # Before it runs: a step whose answer was lost may have happened all the same.
                begun.append(step)
                outcome = await run_step(step.do, job, step.name)
                text = outcome.text
                self._note(f"{step.name} done")
        except (FailureError, asyncio.CancelledError) as error:
            cancelled = is_cancelled_exception(error)
            self._note(f"{begun[-1].name} {'cancelled' if cancelled else 'failed'}")
            await to_the_end(self._back(saga, begun, job))
            if cancelled:
                raise
            failure = failure_of(error)
            raise failed(
                Failure(
                    type="SagaFailed",
                    message=f"{begun[-1].name} failed ({failure.message}); "
                    f"compensated in reverse: {', '.join(step.name for step in reversed(begun) if step.undo)}",
                    causes=(failure.cause,),
                )
            ) from error
        return Outcome(text=text, served_by="service")

    async def _back(self, saga: Saga, begun: list[SagaStep], job: Job) -> None:
        for step in reversed(begun):
            if step.undo is not None:
                await self._undo(saga, step, job)

    async def _undo(self, saga: Saga, step: SagaStep, job: Job) -> None:
        assert step.undo is not None
        failures = 0
        while True:
            try:
                await run_step(step.undo, job, f"{step.name}.undo")
            except FailureError as error:
                failures += 1
                self._note(f"{step.name} undo failed: {failure_of(error).message}")
            else:
                self._note(f"{step.name} undone")
                return
            if failures < saga.undo_retry.attempts:
                await workflow.sleep(delay(saga.undo_retry, failures, None, workflow.random().random()))
                continue
            if not await self._decided_to_retry(step.name, job):
                return
            failures = 0

    async def _decided_to_retry(self, name: str, job: Job) -> bool:
        self._parked[name] = None
        self._note(f"{name} parked for a person")
        why = self.counted.checkpoints[-2].name
        # Runs of an earlier version wait for the update alone.
        review = asyncio.create_task(self._reviewed(name, why, job)) if job.revision >= 2 else None
        await workflow.wait_condition(lambda: self._parked[name] is not None)
        if review is not None:
            await end([review])
        resolution = self._parked.pop(name)
        assert resolution is not None
        self._note(f"{name}: {resolution.by} chose to {resolution.decision} {resolution.note}".rstrip())
        return resolution.decision == "retry"

    async def _reviewed(self, name: str, why: str, job: Job) -> None:
        """Ask in the queue of reviews too, again whenever nobody has decided in time."""
        question = f"The compensation of {name!r} fails. Approve to try it again, reject to leave it undone."
        review = Review(question=question, decisions=("approve", "reject"), due=MAX_SECONDS)
        while True:
            result = await try_step(review, job.asking(why), f"{name}.parked")
            if isinstance(result, Outcome) and result.verdict is not None:
                by, note = result.verdict.reviewer, result.verdict.note
                self._parked[name] = Resolution(step=name, decision="retry", by=by, note=note)
            elif isinstance(result, Failure) and result.type == REJECTED:
                self._parked[name] = Resolution(step=name, decision="skip", by="a reviewer", note=result.message)
            elif isinstance(result, Failure) and result.type == UNDECIDED:
                continue
            return
