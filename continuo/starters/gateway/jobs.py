"""`/v1/jobs`: runs whose callers do not wait, and ask what became of them."""

import asyncio
import re
from typing import Any, get_args

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.door.collecting import begun
from continuo.door.jobs import job_state, job_states
from continuo.jobs import Background, Context, Priority
from continuo.operations.jobs import JobQuery, JobState
from continuo.operations.runs import RunRow
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.callers import entered, resolver
from continuo.starters.gateway.cancelling import cancel as cancel_run
from continuo.starters.gateway.private import keep, restoring, withheld
from continuo.starters.gateway.runs import admitted_of, context_of, known_of, received_of, submitted
from continuo.starters.gateway.state import Gateway
from continuo.starters.gateway.webhooks import webhook_of
from continuo.wire import jobs
from continuo.wire.accepted import Accepted
from continuo.wire.errors import WireError, refusing
from continuo.wire.listing import listing
from continuo.wire.parsed import parsed

ID = re.compile(r"job_[0-9a-f]{32}")


async def create(http: Request) -> Response:
    """Answers when the run has begun: from then on it goes on whatever is killed."""
    gateway, key = await entered(http)
    content, private = await withheld(gateway, key, await http.body())

    def read() -> tuple[jobs.Body, Accepted]:
        body = parsed(jobs.Body, content)
        return body, jobs.request(body, resolve=resolver(gateway.door.library, key))

    body, accepted = await asyncio.to_thread(read)
    context, webhook = context_for(key, body), await webhook_of(gateway, body.webhook)
    received = received_of(http, key, await http.body())
    async with admitted_of(gateway, key, accepted.request) as admitted:
        known = await known_of(gateway, received)
        background = Background(id=f"job_{known.id}", metadata=body.metadata or {}, webhook=webhook)
        context = context.model_copy(update={"background": background})
        await keep(gateway, key, private, background.id)
        run = await submitted(gateway, known, accepted, context, private)
        seen = await begun(await run.handle.describe())
        assert seen is not None
        await gateway.runs.keep([seen.row], seen.entries[:1])
        job = await _kept(gateway, seen.row)
    await gateway.limits.release(admitted, None)
    delivered = BackgroundTask(gateway.requests.delivered, known)
    return JSONResponse(private.restored_wire(_response(http, job)), 202, admitted.headers, background=delivered)


async def get(http: Request) -> Response:
    gateway, key = await entered(http)
    return await _shown(http, gateway, key, await _job(gateway, key, http.path_params["id"]))


async def cancel(http: Request) -> Response:
    """Answers with the job as it is when its run was asked to end, which that does as soon as it can."""
    gateway, key = await entered(http)
    job = await _job(gateway, key, http.path_params["id"])
    if job.status in ("queued", "running"):
        await cancel_run(gateway.door.run(job.run.workflow_id))
        job = await _kept(gateway, job.run)
    if job.status in ("completed", "failed"):
        raise WireError(409, f"the job has {job.status}: nothing is left to cancel", code="job_ended")
    return await _shown(http, gateway, key, job)


async def list_jobs(http: Request) -> Response:
    gateway, key = await entered(http)
    with refusing():
        query = JobQuery.model_validate(dict(http.query_params))
    after = None
    if query.after is not None and (after := await _row(gateway, key, query.after)) is None:
        raise WireError(404, f"after: there is no job {query.after[:80]!r} for this key", "after", "job_not_found")
    rows = await gateway.runs.jobs(key.tenant, query, after)
    page = rows[: query.limit]
    states = await job_states(gateway.door.client, page)
    # The rows of those that ended a moment ago do not say so yet.
    data = [_response(http, job) for job in states if query.status in (None, job.status)]
    data = [(await restoring(gateway, key, job["id"])).restored_wire(job) for job in data]
    last = page[-1].job if page else None
    return JSONResponse({**listing(data, more=len(rows) > len(page)), "last_id": last})


def context_for(key: ApiKey, body: jobs.Body) -> Context:
    """For whom the job runs, as far as the key allows."""
    ranks = get_args(Priority)
    allowed = ranks[ranks.index(key.priority) :]
    if body.priority is not None and body.priority not in allowed:
        message = f"priority: the API key may not use {body.priority!r}; it may use {', '.join(allowed)}"
        raise WireError(403, message, "priority", "priority_not_allowed")
    own = {name: getattr(body, name) for name in ("session", "prefer", "priority", "deadline")}
    return context_of(key, user=body.user or None, **own)


async def _job(gateway: Gateway, key: ApiKey, id: str) -> JobState:
    """Raises `WireError` for a job that is not there, or another tenant's."""
    row = await _row(gateway, key, id)
    if row is None:
        raise WireError(404, f"id: there is no job {id[:80]!r} for this key", "id", "job_not_found")
    return await _kept(gateway, row)


async def _row(gateway: Gateway, key: ApiKey, id: str) -> RunRow | None:
    return await gateway.runs.job(key.tenant, id) if ID.fullmatch(id) else None


async def _kept(gateway: Gateway, row: RunRow) -> JobState:
    """The job as it is now, and kept so: a list that is asked for afterwards says the same."""
    job = await job_state(gateway.door.client, row)
    if job.run != row:
        await gateway.runs.keep([job.run])
    return job


async def _shown(http: Request, gateway: Gateway, key: ApiKey, job: JobState) -> JSONResponse:
    private = await restoring(gateway, key, job.run.job or "")
    return JSONResponse(private.restored_wire(_response(http, job)))


def _response(http: Request, job: JobState) -> dict[str, Any]:
    return jobs.response(job, status_url=f"{http.base_url}v1/jobs/{job.run.job}")
