"""The activities around the cache. A broken cache never fails a request: it finds nothing and keeps nothing."""

import asyncio
import time
from array import array
from base64 import b64decode

from temporalio import activity
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from continuo.activities.errors import unless_broken
from continuo.decisions.cache_key import entry_key, family, scope
from continuo.jobs import Job, Outcome
from continuo.operations.metrics import Meter
from continuo.patterns import Cached
from continuo.stores.cache import Cache, Lookup, Place
from continuo.stores.vectors import packed


class Caching:
    """Local activities: what they do takes less time than the server needs to hand out a task."""

    def __init__(self, cache: Cache, meter: Meter) -> None:
        self._cache = cache
        self._meter = meter

    @activity.defn(name="look_up")
    async def look_up(self, job: Job, waited: bool) -> Lookup:
        """Look for the answer of a job whose step is `Cached`.

        A run that has `waited` for another one goes its own way if that came to nothing, so that a hundred that
        waited do not fail one after the other.
        """
        lookup = await unless_broken("the cache", self._looked_up(place(job), take_off=not waited)) or Lookup()
        if not lookup.wait:
            self._meter.looked_up(job.context.pattern, "miss" if lookup.outcome is None else "hit")
        return lookup

    @activity.defn(name="look_near")
    async def look_near(self, job: Job, embedding: str) -> Lookup:
        """Look for the answer to a question that means the same; `embedding` is the prompt's, as `embed` gave it."""
        assert isinstance(job.step, Cached)
        assert job.step.semantic is not None
        threshold = job.step.semantic.threshold
        # On a thread: it loads numpy.
        vector = await asyncio.to_thread(packed, array("f", b64decode(embedding)))
        looking = self._cache.similar(place(job), vector, threshold, time.time())
        lookup = await unless_broken("the cache", looking) or Lookup()
        if lookup.outcome is not None:
            self._meter.looked_up(job.context.pattern, "near")
        return lookup

    @activity.defn(name="keep")
    async def keep(self, job: Job, outcome: Outcome | None) -> None:
        """The end of the run under way to an answer: keep that, if there is one that may be kept."""
        step = job.step
        assert isinstance(step, Cached)
        # What stands in for an answer must not outlive the trouble it stands for.
        if outcome is None or outcome.partial or outcome.fallback:
            await unless_broken("the cache", self._cache.land(place(job)))
        else:
            kept = self._cache.keep(place(job), outcome, ttl=step.ttl, max_size=step.max_size, now=time.time())
            await unless_broken("the cache", kept)

    async def _looked_up(self, where: Place, *, take_off: bool) -> Lookup:
        lookup = await self._cache.look_up(where, take_off=take_off, now=time.time())
        if lookup.overdue is None:
            return lookup
        theirs = where.model_copy(update={"holder": lookup.overdue})
        if await _runs(lookup.overdue):
            await self._cache.extend(theirs, now=time.time())
        else:
            await self._cache.land(theirs)
        return await self._cache.look_up(where, take_off=take_off, now=time.time())


async def _runs(holder: str) -> bool:
    """Whether the run is still under way, as the server knows."""
    run_id, _, workflow_id = holder.split("/", 2)
    try:
        description = await activity.client().get_workflow_handle(workflow_id, run_id=run_id).describe()
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return False
    return description.status == WorkflowExecutionStatus.RUNNING


def place(job: Job) -> Place:
    """Where the job's answer belongs."""
    step = job.step
    assert isinstance(step, Cached)
    info = activity.info()
    return Place(
        key=entry_key(step, job),
        scope=scope(step, job),
        family=family(step, job),
        tenant=job.context.tenant,
        pattern=job.context.pattern,
        holder=f"{info.workflow_run_id}/{job.path}/{info.workflow_id}",
    )
