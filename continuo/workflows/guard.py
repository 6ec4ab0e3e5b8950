"""A step whose answer is checked before anybody has it."""

from collections.abc import Iterable
from typing import Literal

from temporalio import workflow

from continuo.activities.checking import Checking
from continuo.decided import Decision
from continuo.decisions.guarded import MODERATOR, asked_again
from continuo.decisions.plans import VERDICT, verdict
from continuo.guardrails.checks.answer import Checked, Wrong
from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import Guard
from continuo.temporal.failures import failed, sized
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.local_limits import STORE_LIMIT
from continuo.workflows.recorded import recorded
from continuo.workflows.run_account import run_account
from continuo.workflows.step import run_inline, run_step

NOT_SHOWN = Wrong(check="moderator", why="may not be shown, as its moderator says")


@run_inline.register
async def guard(step: Guard, job: Job) -> Outcome:
    return await _Guarding(step, job).outcome()


class _Guarding:
    """One run of the pattern: why answers were not used, and what was decided on all of them."""

    def __init__(self, step: Guard, job: Job) -> None:
        self._step, self._job = step, job
        self._reasons: list[str] = []
        self._decisions: list[Decision] = []

    async def outcome(self) -> Outcome:
        outcome = await self._answer()
        if outcome is not None:
            return self._deciding(outcome)
        reasons = tuple(self._reasons)
        if self._step.otherwise is None:
            message = f"{'; '.join(reasons)}; ask in other words"
            failure = Failure(type="GuardFailed", message=message, causes=reasons, guarded=tuple(self._decisions))
            raise failed(failure)
        outcome = self._deciding(await run_step(self._step.otherwise, self._job, "otherwise"))
        return outcome.model_copy(update={"fallback": True, "reasons": (*reasons, *outcome.reasons)})

    async def _answer(self) -> Outcome | None:
        """The first answer that passes, or the last one redacted; None where neither is."""
        job, retries = await self._held(), self._step.retries
        for number in range(retries + 1):
            suffix = str(number) if number else ""
            last = number == retries
            outcome = await run_step(self._step.step, job, f"step{suffix}")
            redact = last and self._step.on_failure == "redact"
            checked = await self._checked(outcome, f"moderate{suffix}", redact=redact)
            wrong = checked.wrong
            if not wrong:
                self._decide("passed")
                return outcome
            if checked.redacted is not None:
                self._decide("redacted", wrong)
                return checked.redacted.model_copy(update={"calls": outcome.calls, "checkpoints": outcome.checkpoints})
            self._decide("rejected" if last else "retried", wrong)
            self._reasons += [f"{one.check}: the answer {one.why}" for one in wrong]
            request = asked_again(self._job.request, [one.why for one in wrong])
            job = self._job.model_copy(update={"request": request})
        return None

    async def _held(self) -> Job:
        """The job, whose answer is checked as it streams where that can be."""
        job = self._job
        if job.stream is None or not self._step.streamed:
            return job
        hold = await workflow.execute_local_activity_method(
            Checking.hold, job, schedule_to_close_timeout=STORE_LIMIT, summary=self._where("hold")
        )
        return job.model_copy(update={"held": (hold, *job.held)})

    async def _checked(self, outcome: Outcome, moderate: str, *, redact: bool) -> Checked:
        checked = Checked()
        if named := self._step.checks.named:
            checked = await workflow.execute_local_activity_method(
                Checking.check,
                args=[self._job, outcome, redact],
                schedule_to_close_timeout=STORE_LIMIT,
                summary=self._where(", ".join(named)),
            )
        if checked.wrong or self._step.moderator is None or not outcome.text:
            return checked
        job = self._job.asking(sized(outcome.text, "what the moderator is asked")).instructed(MODERATOR)
        job = job.model_copy(update={"request": job.request.model_copy(update={"response_schema": VERDICT})})
        said = await run_step(self._step.moderator, job, moderate)
        valid = await recorded(self._job, moderate, verdict(said.text), tuple[bool, str] | None)
        if valid is None:
            raise failed(Failure(type="GuardFailed", message="the moderator said neither valid nor invalid"))
        return checked if valid[0] else Checked(wrong=(NOT_SHOWN,))

    def _decide(
        self, action: Literal["passed", "redacted", "rejected", "retried"], wrong: Iterable[Wrong] = ()
    ) -> None:
        """On the checks that an answer did not pass; where it is had in the end, on all."""
        findings = {one.check: one.findings for one in wrong}
        moderator = ("moderator",) if self._step.moderator else ()
        for check in (*self._step.checks.named, *moderator):
            if check in findings:
                self._decisions.append(Decision(stage=check, action=action, findings=findings[check]))
                run_account().note(self._where(f"{check} {action}"))
            elif action in ("passed", "redacted"):
                self._decisions.append(Decision(stage=check, action="passed"))

    def _deciding(self, outcome: Outcome) -> Outcome:
        return outcome.model_copy(update={"guarded": (*outcome.guarded, *self._decisions)})

    def _where(self, what: str) -> str:
        return f"{self._job.path or 'guard'}: {what}"


@workflow.defn(name="Guard")
class GuardWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
