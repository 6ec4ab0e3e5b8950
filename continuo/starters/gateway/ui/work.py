"""What goes on without anybody waiting: jobs, and batches with their progress."""

from typing import get_args
from urllib.parse import urlencode

from starlette.responses import Response

from continuo.door.jobs import job_states
from continuo.operations.batches import BatchRow
from continuo.operations.jobs import JobQuery, JobStatus
from continuo.starters.console.run_cells import cost
from continuo.starters.gateway.ui.visits import Unserved, Visit, page

PAGE = 50


@page()
async def jobs(visit: Visit) -> Response:
    """Those of one tenant: the person's own, where that may choose and has not."""
    tenant, gateway = visit.tenant or visit.key.tenant, visit.gateway
    query = visit.query(JobQuery, limit=PAGE, after=None)
    after = await gateway.runs.job(tenant, visit.fields["after"]) if visit.fields.get("after") else None
    rows = await gateway.runs.jobs(tenant, query, after)
    states = await job_states(gateway.door.client, rows[:PAGE])
    more = None
    if len(rows) > PAGE:
        more = urlencode({"tenant": tenant, "status": query.status or "", "after": rows[PAGE - 1].job})
    return visit.show("jobs.html", jobs=states, tenant=tenant, more=more, statuses=get_args(JobStatus), cost=cost)


@page()
async def batches(visit: Visit) -> Response:
    return visit.show("batches.html", batches=await visit.gateway.batch_store.listed(visit.tenant, PAGE), acts=acts)


def acts(batch: BatchRow) -> list[str]:
    """What may be done with it now."""
    if batch.state == "running":
        return ["stop", "cancel"]
    resumed = ["resume"] if batch.state in ("stopped", "spent", "cancelled") else []
    return [*resumed, "rerun failed"] if batch.ended and batch.tally.failed else resumed


@page("operator")
async def act(visit: Visit) -> Response:
    tenant, id, door = visit.fields.get("tenant", ""), visit.fields.get("id", ""), visit.gateway.batches
    batch = await visit.gateway.batch_store.get(tenant, id) if visit.owns(tenant) else None
    if batch is None:
        raise Unserved(404, f"there is no batch {id[:100]!r} here")
    act = visit.fields.get("act", "")
    if act not in acts(batch):
        raise Unserved(409, f"batch {id} is {batch.state} now; look at it again")
    match act:
        case "resume":
            await door.resume(batch)
        case "rerun failed":
            await door.rerun_failed(batch)
        case _:
            await door.stop(batch, now=act == "cancel")
    return visit.go("/batches")
