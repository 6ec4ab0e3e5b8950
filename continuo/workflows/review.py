"""A question that waits for a person, in a workflow of its own that costs nothing while it waits."""

import asyncio
from datetime import timedelta

from temporalio import workflow

from continuo.decisions.prompts import filled
from continuo.decisions.review import (
    MEMO,
    REJECTED,
    TYPE,
    UNDECIDED,
    Case,
    Claim,
    Decision,
    changes,
    escalated,
    next_event,
    not_theirs,
    refusal,
    voted,
)
from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import Review
from continuo.temporal.attributes import TENANT
from continuo.temporal.failures import failed
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.review_notices import Telling
from continuo.workflows.run_account import RUN
from continuo.workflows.step import run_step

LATE = "nobody decided in time"
CANCELLED = "its run was cancelled"


@workflow.defn(name=TYPE)
class ReviewWorkflow(PatternWorkflow):
    """Owns what was shown and what was decided. Its memo has what a list shows of it."""

    def __init__(self) -> None:
        super().__init__()
        self._case: Case | None = None
        self._text: str | None = None
        self._telling = Telling()

    @workflow.run
    async def run(self, job: Job) -> Outcome:
        assert isinstance(job.step, Review)
        assert job.step.group is None, "the door puts its members in its place"
        return await self.answer(job, self._review(job.step, job))

    @workflow.query
    def case(self) -> Case:
        """What is to be decided, all of it. Raises `ValueError` as long as that is not known."""
        return self._open

    @workflow.update
    def decide(self, decision: Decision) -> Case:
        """Decide, or vote where several people do."""
        self._text = decision.text
        return self._become(voted(self._open, decision, workflow.now()))

    @decide.validator
    def _validate_decide(self, decision: Decision) -> None:
        _refuse(refusal(self._open, decision, workflow.now()))

    @workflow.update
    def claim(self, by: str, seconds: float) -> Case:
        """Keep it from other reviewers for so many seconds."""
        return self._become(
            self._open.model_copy(update={"claim": Claim(by=by, until=workflow.now() + timedelta(seconds=seconds))})
        )

    @claim.validator
    def _validate_claim(self, by: str, seconds: float) -> None:
        _refuse(self._open.closed)
        _refuse(not_theirs(self._open, by, workflow.now()))
        Claim(by=by, until=workflow.now())
        _refuse(None if 0 < seconds <= 86400 else "a claim lasts a second to a day")

    @workflow.update
    def release(self, by: str) -> Case:
        """Give a claim back."""
        return self._become(self._open.model_copy(update={"claim": None}))

    @release.validator
    def _validate_release(self, by: str) -> None:
        claim = self._open.claim
        _refuse(None if claim is not None and claim.by == by else f"{by} has not claimed it")

    @property
    def _open(self) -> Case:
        if self._case is None:
            raise ValueError("what is to be decided is not there yet; ask again")
        return self._case

    async def _review(self, review: Review, job: Job) -> Outcome:
        outcome = None if review.step is None else await run_step(review.step, job, "step")
        shown = job.request.prompt if outcome is None else outcome.text
        # Without a pattern, by which whole runs are found.
        workflow.upsert_search_attributes([TENANT.value_set(job.context.tenant)])
        self._become(self._opened(review, job, shown))
        self._telling.tell(review.notify, self._open, "opened")
        job = job.model_copy(update={"before": None})
        try:
            in_time = await self._waited(review)
        finally:
            await self._telling.end()
        return self._decided(shown, outcome) if in_time else await self._undecided(review, job)

    async def _waited(self, review: Review) -> bool:
        """Wait for a decision; whether there was one before it was due."""
        to = review.notify
        while self._open.verdict is None:
            time, event = next_event(review, self._open)
            try:
                await workflow.wait_condition(
                    lambda: self._open.verdict is not None, timeout=max(time - workflow.now(), timedelta())
                )
            except asyncio.CancelledError:
                # Where it can be looked up; a list has none that has ended.
                self._case = self._open.model_copy(update={"over": CANCELLED})
                raise
            except TimeoutError:
                if self._open.verdict is not None:
                    # It came in the same moment.
                    break
                if event == "due":
                    return False
                self._note(event)
                if review.escalate is not None and event == "escalate":
                    to = review.escalate.notify
                    self._telling.tell(to, self._become(escalated(review, self._open)), "escalated")
                else:
                    again = {"reminders": self._open.reminders + 1}
                    self._telling.tell(to, self._become(self._open.model_copy(update=again)), "reminded")
        return True

    def _opened(self, review: Review, job: Job, shown: str) -> Case:
        return Case(
            id=workflow.info().workflow_id,
            run=RUN.get().id,
            path=job.path,
            tenant=job.context.tenant,
            pattern=job.context.pattern,
            requester=job.context.user,
            question=filled(review.question, {"input": job.request.prompt}),
            text=shown,
            changes=() if job.before is None else tuple(changes(job.before, shown)),
            decisions=review.allowed,
            reasons=review.reasons,
            reviewers=review.reviewers,
            policy=review.policy,
            not_by_requester=review.not_by_requester,
            opened=workflow.now(),
            due=workflow.now() + timedelta(seconds=review.due),
        )

    def _decided(self, shown: str, outcome: Outcome | None) -> Outcome:
        verdict = self._open.verdict
        assert verdict is not None
        self._note(verdict.line)
        if verdict.decision == "reject":
            raise failed(Failure(type=REJECTED, message=f"a person decided: {verdict.line}"))
        if verdict.decision == "approve":
            approved = Outcome(text=shown, served_by="human") if outcome is None else outcome
            return approved.model_copy(update={"verdict": verdict})
        assert self._text is not None, "no edit and no response is taken without a text"
        if verdict.decision == "edit":
            verdict = verdict.model_copy(update={"changes": tuple(changes(shown, self._text))})
        return Outcome(text=self._text, served_by="human", verdict=verdict)

    async def _undecided(self, review: Review, job: Job) -> Outcome:
        self._become(self._open.model_copy(update={"over": LATE}))
        self._note(LATE)
        if review.otherwise is None:
            message = f"nobody decided within {review.due:g} s: {self._open.question}"
            raise failed(Failure(type=UNDECIDED, message=message))
        outcome = await run_step(review.otherwise, job, "otherwise")
        return outcome.model_copy(update={"fallback": True, "reasons": (LATE,)})

    def _note(self, event: str) -> None:
        self.counted.note(f"review: {event}")

    def _become(self, case: Case) -> Case:
        """Change the case, where lists and the UI show it."""
        self._case = case
        workflow.upsert_memo({MEMO: case.brief().model_dump(mode="json")})
        who = ", ".join(case.reviewers) or "anybody"
        lines = (
            f"**{case.question}**",
            f"For tenant `{case.tenant}`, to be decided by {who} until {case.due:%Y-%m-%d %H:%M:%S} UTC.",
            f"`continuo reviews show {case.id}`",
        )
        workflow.set_current_details("\n\n".join(lines))
        return case


def _refuse(why: str | None) -> None:
    if why is not None:
        raise ValueError(why)
