"""The activities around the cache. A broken cache never fails a request: it finds nothing and keeps nothing."""

import time
from base64 import b64decode
from collections.abc import Coroutine
from typing import TypeVar

import structlog
from temporalio import activity

from continuo.cache_key import entry_key, family, scope
from continuo.jobs import Job, Outcome
from continuo.patterns import Cached
from continuo.stores.cache import Cache, Found, Place

log = structlog.get_logger()

T = TypeVar("T")


class Caching:
    """Local activities: what they do takes less time than the server needs to hand out a task."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    @activity.defn(name="look_up")
    async def look_up(self, job: Job, waited: bool) -> Found:
        """Look for the answer of a job whose step is `Cached`.

        A run that has `waited` for another one goes its own way if that came to nothing, so that a hundred that
        waited do not fail one after the other.
        """
        look = self._cache.look_up(place(job), take_off=not waited, now=time.time())
        return await _unless_broken(look) or Found()

    @activity.defn(name="look_near")
    async def look_near(self, job: Job, embedding: str) -> Found:
        """Look for the answer to a question that means the same; `embedding` is the prompt's, as `embed` gave it."""
        assert isinstance(job.step, Cached)
        assert job.step.semantic is not None
        vector, threshold = b64decode(embedding), job.step.semantic.threshold
        return await _unless_broken(self._cache.similar(place(job), vector, threshold, time.time())) or Found()

    @activity.defn(name="keep")
    async def keep(self, job: Job, outcome: Outcome | None) -> None:
        """The end of the run under way to an answer: keep that, if there is one that may be kept."""
        step = job.step
        assert isinstance(step, Cached)
        # What stands in for an answer must not outlive the trouble it stands for.
        if outcome is None or outcome.partial or outcome.fallback:
            await _unless_broken(self._cache.land(place(job)))
        else:
            kept = self._cache.keep(place(job), outcome, ttl=step.ttl, max_size=step.max_size, now=time.time())
            await _unless_broken(kept)


def place(job: Job) -> Place:
    """Where the job's answer belongs."""
    step = job.step
    assert isinstance(step, Cached)
    return Place(
        key=entry_key(step, job),
        scope=scope(step, job),
        family=family(step, job),
        tenant=job.context.tenant,
        pattern=job.context.pattern,
        holder=f"{activity.info().workflow_run_id}/{job.path}",
    )


async def _unless_broken(work: Coroutine[None, None, T]) -> T | None:
    try:
        return await work
    except Exception as error:
        log.warning("the cache is broken", error=f"{type(error).__name__}: {error}")
        return None
