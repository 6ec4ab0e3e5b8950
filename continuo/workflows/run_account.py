"""The account of a workflow: every step it began, every call that ended, every point it passed.

Kept here once, so that no pattern has to carry calls and costs from its steps to its outcome.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

from continuo.bounded import KEPT, bounded, summed
from continuo.jobs import Account, CallRecord, Checkpoint, Job, Outcome, total_cost, under
from continuo.messages import Usage
from continuo.progress import Progress, StepState

A = TypeVar("A", bound=Account)


class RunAccount:
    """Filled as the workflow runs. Its calls are in the order of their ends."""

    def __init__(self) -> None:
        self.calls: list[CallRecord] = []
        self.checkpoints: list[Checkpoint] = []
        self._steps: dict[str, StepState] = {}
        self._omitted = 0
        self.begun: list[str] = []
        """The ids of the calls that were begun."""
        self.interrupted = False
        """Whether anything was cancelled."""
        self.variant: str | None = None
        """That of the first split."""

    def include(self, account: Account) -> None:
        """Take over what a call or a child workflow tells of itself; of a late one among many the sums."""
        self.calls.extend(account.calls if len(self.calls) < KEPT else summed(account.calls))
        self.checkpoints.extend(account.checkpoints)
        surplus = max(0, len(self.checkpoints) - KEPT)
        del self.checkpoints[:surplus]
        self._omitted += surplus + account.omitted.get("checkpoints", 0)
        self.variant = self.variant or account.variant

    def note(self, name: str) -> None:
        """A checkpoint, now."""
        self.checkpoints.append(Checkpoint(name=name, time=workflow.now()))

    def cost_under(self, path: str) -> float | None:
        """What the calls of the step at `path` cost in USD, None when that is unknown."""
        return total_cost(under(path, self.calls))

    @contextmanager
    def step(self, job: Job, workflow_id: str | None) -> Iterator[None]:
        """A step, from its beginning to whatever end it takes."""
        begun = StepState(path=job.path, kind=job.step.kind, started=workflow.now(), workflow_id=workflow_id)
        self._steps[job.path] = begun
        status = "done"
        try:
            yield
        except BaseException as error:
            status = "cancelled" if is_cancelled_exception(error) else "failed"
            raise
        finally:
            # Not so when it is collected with a workflow that its worker has let go: that has no clock any more.
            if workflow.in_workflow():
                self._steps[job.path] = begun.model_copy(update={"status": status, "ended": workflow.now()})

    def progress(self) -> Progress:
        return self.accounted(Progress(steps=tuple(self._steps.values())))

    def accounted(self, result: A) -> A:
        """`result` with all that was counted, bounded. An outcome without a call keeps what it says of its cost."""
        update: dict[str, object] = {"calls": tuple(self.calls), "checkpoints": tuple(self.checkpoints)}
        if not isinstance(result, Outcome):
            update["variant"] = self.variant
        elif self.calls:
            update["usage"] = sum((call.usage for call in self.calls), Usage())
            update["cost_usd"] = total_cost(tuple(self.calls))
        return bounded(result.replaced(**update).omitting(checkpoints=self._omitted))


@dataclass(frozen=True)
class Run:
    """The run of a step: the id of its outermost workflow, and the account of the workflow that the step is in."""

    id: str
    account: RunAccount


RUN: ContextVar[Run] = ContextVar("run")
"""Set by `PatternWorkflow.answer`, and so in every coroutine and task that it starts."""


def run_account() -> RunAccount:
    """The account of the workflow that runs. Raises `LookupError` outside `PatternWorkflow.answer`."""
    return RUN.get().account
