"""What is answered at the door, without a workflow: what the cache has, and what rules alone say."""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from continuo.decisions.cache_key import entry_key
from continuo.decisions.classify import classify
from continuo.decisions.ruled import hit, picked, said
from continuo.door.noting import Noting
from continuo.door.submit import Checked
from continuo.jobs import Checkpoint, Job, Outcome
from continuo.operations.runs import RunRow
from continuo.patterns import Cached, Route, Template
from continuo.patterns.choices import BudgetUse, Intent
from continuo.stores.cache import Cache

log = logging.getLogger(__name__)

PATIENCE = 0.25
"""Seconds for the cache to say what it has; a run will ask it again, and wait longer."""


@dataclass(frozen=True)
class Answered:
    """What was answered without a workflow, to be followed as a `Run` is. Its row among the runs has this `id`."""

    id: str
    outcome: Outcome

    @property
    def run_id(self) -> str:
        return self.id

    async def result(self) -> Outcome:
        return self.outcome

    async def cancel(self) -> None:
        """It has ended already."""


class AtOnce:
    """It only reads. That it answered is left to `noting`, for which nobody waits."""

    def __init__(self, cache: Cache, noting: Noting) -> None:
        self._cache = cache
        self._noting = noting

    async def answer(self, checked: Checked) -> Answered | None:
        """What a run would answer, as far as that is known; None where it takes the run to find out."""
        job, id = checked.job, checked.run_id()
        started, clock = datetime.now(UTC), time.monotonic()
        if (known := await self._known(job)) is None:
            return None
        latency = round((time.monotonic() - clock) * 1000, 3)
        outcome = known.model_copy(update={"latency_ms": latency, "workflow_id": id, "run_id": id})
        row = RunRow(
            run_id=id,
            workflow_id=id,
            tenant=job.context.tenant,
            user=job.context.user,
            pattern=job.context.pattern,
            kind=job.step.kind,
            status="done",
            started=started,
            ended=datetime.now(UTC),
        )
        self._noting.answered(row.with_result(outcome))
        return Answered(id, outcome)

    async def _known(self, job: Job) -> Outcome | None:
        step = job.step
        if isinstance(step, Template):
            return said(step)
        if isinstance(step, Cached):
            outcome = await self._cached(entry_key(step, job))
            return outcome and _passing(hit(job), outcome)
        if not isinstance(step, Route) or isinstance(step.by, BudgetUse | Intent):
            return None
        label = classify(step.by, job.request.prompt, job.context.prefer)
        branch = step.branch(label)
        outcome = await self._known(job.of(step.branches[branch], branch))
        return outcome and _passing(picked(step, job, label), outcome.model_copy(update={"branch": branch}))

    async def _cached(self, key: str) -> Outcome | None:
        now = time.time()
        try:
            async with asyncio.timeout(PATIENCE):
                outcome = await self._cache.find(key, now)
        except Exception as error:
            log.warning("the cache cannot be read at the door: %s: %s", type(error).__name__, error)
            return None
        if outcome is not None:
            self._noting.served(key, now)
        return outcome


def _passing(name: str, outcome: Outcome) -> Outcome:
    """The outcome, after one more checkpoint before those that it has."""
    return outcome.replaced(checkpoints=(Checkpoint(name=name, time=datetime.now(UTC)), *outcome.checkpoints))
