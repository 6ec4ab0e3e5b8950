"""`/v1/schedules`: jobs that are run again and again."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.door.schedules import Planned, Schedules
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.callers import entered, resolver
from continuo.starters.gateway.jobs import context_for
from continuo.starters.gateway.state import Gateway
from continuo.wire import jobs, schedules
from continuo.wire.accepted import Accepted
from continuo.wire.errors import WireError, refusing
from continuo.wire.listing import listing
from continuo.wire.parsed import parsed


async def put(http: Request) -> Response:
    """Plans a job, in the place of the schedule that has this name."""
    gateway, key = await entered(http)
    content = await http.body()

    def read() -> tuple[schedules.Body, Accepted]:
        body = parsed(schedules.Body, content)
        try:
            return body, jobs.request(body.job, resolve=resolver(gateway.door.library, key))
        except WireError as error:
            param = error.param and f"job.{error.param}"
            raise WireError(error.status, f"job.{error.message}", param, error.code) from None

    body, accepted = await asyncio.to_thread(read)
    for name, wrong in (("metadata", body.job.metadata), ("webhook", body.job.webhook), ("messages", accepted.media)):
        if wrong:
            what = "media are not kept for a schedule" if name == "messages" else "it is a single run's"
            raise WireError(400, f"job.{name}: {what}; leave it out", f"job.{name}", "unsupported_parameter")
    times = body.times
    if "zone" not in times.model_fields_set:
        times = times.model_copy(update={"zone": gateway.door.library.tenants.of(key.tenant).zone})
    name = http.path_params["name"]
    with refusing():
        planned = Planned(name=name, request=accepted.request, context=context_for(key, body.job))
        await _schedules(gateway).create(planned, times, replace=True)
    return await _shown(gateway, key, name)


async def get(http: Request) -> Response:
    gateway, key = await entered(http)
    return await _shown(gateway, key, http.path_params["name"])


async def delete(http: Request) -> Response:
    """Forgets it; its runs stay, and what is under way goes on."""
    gateway, key = await entered(http)
    name = http.path_params["name"]
    with refusing():
        await _schedules(gateway).delete(key.tenant, name)
    return JSONResponse({"id": name, "object": "schedule", "deleted": True})


async def list_schedules(http: Request) -> Response:
    """All of the key's tenant, by name."""
    gateway, key = await entered(http)
    rows = sorted([row async for row in _schedules(gateway).listed(key.tenant)], key=lambda row: row.name)
    return JSONResponse(listing([schedules.in_list(row) for row in rows], more=False))


async def pause(http: Request) -> Response:
    """Runs it no more until it is resumed; what is under way goes on."""
    gateway, key = await entered(http)
    note, name = parsed(schedules.PauseBody, await http.body() or b"{}").note, http.path_params["name"]
    with refusing():
        await _schedules(gateway).pause(key.tenant, name, note)
    return await _shown(gateway, key, name)


async def resume(http: Request) -> Response:
    gateway, key = await entered(http)
    name = http.path_params["name"]
    with refusing():
        await _schedules(gateway).resume(key.tenant, name)
    return await _shown(gateway, key, name)


async def trigger(http: Request) -> Response:
    """Runs it now, also while it is paused."""
    gateway, key = await entered(http)
    name = http.path_params["name"]
    with refusing():
        await _schedules(gateway).trigger(key.tenant, name)
    return await _shown(gateway, key, name)


async def _shown(gateway: Gateway, key: ApiKey, name: str) -> Response:
    with refusing():
        return JSONResponse(schedules.response(await _schedules(gateway).show(key.tenant, name)))


def _schedules(gateway: Gateway) -> Schedules:
    return Schedules(gateway.door, gateway.batch_store)
