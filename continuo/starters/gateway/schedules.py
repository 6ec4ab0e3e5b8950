"""`/v1/schedules`: jobs and batches that are run again and again."""

import asyncio
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.decisions.off_peak import off_peak
from continuo.door.schedules import Planned, Schedules
from continuo.operations.batches import AtProvider, Origin
from continuo.operations.schedules import Times
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.batch_input import read_input, terms_of
from continuo.starters.gateway.batches import place_of
from continuo.starters.gateway.callers import entered, resolver
from continuo.starters.gateway.jobs import context_for
from continuo.starters.gateway.private import restoring
from continuo.starters.gateway.state import Gateway
from continuo.wire import jobs, schedules
from continuo.wire.errors import WireError, refusing
from continuo.wire.listing import listing
from continuo.wire.parsed import parsed

NO_MEDIA = "media are not kept for a schedule; leave them out"


async def put(http: Request) -> Response:
    """Plans a job, or a batch, in the place of the schedule that has this name."""
    gateway, key = await entered(http)
    body = await asyncio.to_thread(parsed, schedules.Body, await http.body())
    times, name = body.times, http.path_params["name"]
    if "zone" not in times.model_fields_set:
        times = times.model_copy(update={"zone": gateway.door.library.tenants.of(key.tenant).zone})
    if body.job is not None:
        await _plan_job(gateway, key, name, body.job, times)
    if body.batch is not None:
        await _plan_batch(gateway, key, name, body.batch, times, place_of(http))
    return await _shown(gateway, key, name)


async def _plan_job(gateway: Gateway, key: ApiKey, name: str, body: jobs.Body, times: Times) -> None:
    try:
        accepted = await asyncio.to_thread(jobs.request, body, resolve=resolver(gateway.door.library, key))
    except WireError as error:
        param = error.param and f"job.{error.param}"
        raise WireError(error.status, f"job.{error.message}", param, error.code) from None
    for field, wrong in (("metadata", body.metadata), ("webhook", body.webhook), ("messages", accepted.media)):
        if wrong:
            what = NO_MEDIA if field == "messages" else "it is a single run's; leave it out"
            raise WireError(400, f"job.{field}: {what}", f"job.{field}", "unsupported_parameter")
    with refusing():
        planned = Planned(name=name, request=accepted.request, context=context_for(key, body))
        await _schedules(gateway).create(planned, times, replace=True)


async def _plan_batch(
    gateway: Gateway, key: ApiKey, name: str, body: schedules.Batch, times: Times, place: AtProvider | None
) -> None:
    """The lines are kept as they are now, with what their placeholders stand for: the file is not needed any more."""
    values = (await restoring(gateway, key, body.input_file_id)).values
    origin = Origin(api="openai", endpoint=body.endpoint, file=body.input_file_id)
    hours = body.off_peak and off_peak(body.off_peak, times.zone)
    try:
        content, lines = await read_input(gateway, key, body.input_file_id, body.endpoint)
        for line, accepted in lines:
            if accepted.media:
                raise WireError(400, f"line {line.number}: {NO_MEDIA}", code="unsupported_parameter")
        own = {"window": body.window, "budget_usd": body.budget_usd, "off_peak": hours, "at_provider": place}
        terms = await terms_of(gateway, key, origin, lines, **own)
    except WireError as error:
        field = "batch.input_file_id"
        raise WireError(error.status, f"{field}: {error.message}", field, error.code) from None
    private = gateway.door.withholding.private(key.context(), "", values=values)
    digest = await asyncio.to_thread(lambda: sha256(content).hexdigest())
    with refusing():
        await _schedules(gateway).create_batch(
            name, terms, digest, "line", (line for line, _ in lines), times, private, replace=True
        )


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
