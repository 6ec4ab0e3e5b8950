"""What is answered at the door, without a workflow: what the cache has, and what rules alone say."""

import asyncio
import logging
import time
from datetime import UTC, datetime

from continuo.decisions.cache_key import entry_key
from continuo.decisions.classify import classify
from continuo.decisions.ruled import by_rule, hit, picked, said
from continuo.door.answered import Answered, answered
from continuo.door.noting import Noting
from continuo.door.submit import Checked
from continuo.jobs import Checkpoint, Job, Outcome
from continuo.patterns import Cached, Route, Template
from continuo.patterns.choices import BudgetUse, Intent
from continuo.stores.cache import Cache

log = logging.getLogger(__name__)

PATIENCE = 0.25
"""Seconds for the cache to say what it has; a run will ask it again, and wait longer."""


class AtOnce:
    """It only reads. That it answered is left to `noting`, for which nobody waits."""

    def __init__(self, cache: Cache, noting: Noting) -> None:
        self._cache = cache
        self._noting = noting

    async def answer(self, checked: Checked) -> Answered | None:
        """What a run would answer, as far as that is known; None where it takes the run to find out."""
        job, id = checked.job, checked.run_id()
        clock = time.monotonic()
        if (known := await self._known(job)) is None:
            return None
        if job.rule is not None:
            known = _passing(by_rule(job.rule), known)
        run, seen = answered(job, checked.decisions, id, known, time.monotonic() - clock)
        self._noting.note(seen.at_door("answered"), seen.row)
        return run

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
