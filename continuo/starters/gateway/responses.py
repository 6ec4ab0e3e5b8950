"""OpenAI's `POST /v1/responses` and `/v1/responses/input_tokens`."""

import asyncio
import time
from dataclasses import replace

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.starters.gateway.callers import caller
from continuo.starters.gateway.earlier import with_earlier
from continuo.starters.gateway.entry import Entered, Resolve, entered
from continuo.starters.gateway.kept import answer_of, begin, check, follow
from continuo.starters.gateway.state import Gateway
from continuo.starters.gateway.stream import streamed
from continuo.stores.answers import Kept
from continuo.wire import responses
from continuo.wire.accepted import Accepted
from continuo.wire.errors import WireError
from continuo.wire.parsed import parsed

PING = b": keep-alive\n\n"


async def create(http: Request) -> Response:
    request = await entered(http, responses.Body, _accept, _continued)
    body, answering = request.body, request.answering
    id, created = f"resp_{answering.known.id}", answering.known.received
    kept = await _begun(request, id) if body.store is not False else None
    if kept and body.background:
        follow(request.gateway, kept, None if body.stream else answering)
    elif kept and body.stream:
        follow(request.gateway, kept)
    if body.stream:
        events = responses.Events(request.shown(), id=id, created_at=created, clock=time.time)
        return await streamed(answering, events, events.start(), PING, after=answering.after)
    if body.background:
        made = responses.pending(request.shown(), id=id, created_at=created, status="queued")
        delivered = BackgroundTask(request.gateway.requests.delivered, answering.known)
        return JSONResponse(made, headers=answering.headers, background=delivered)
    outcome = await answering.outcome()
    made = responses.ended(body, outcome, answering.account(outcome), id=id, created_at=created)
    return answering.response(await answer_of(request.gateway, answering, kept, outcome, made), outcome)


async def input_tokens(http: Request) -> Response:
    gateway: Gateway = http.app.state.gateway
    key = await caller(gateway, http)
    body = await with_earlier(gateway, key.tenant, parsed(responses.CountBody, await http.body()))
    return JSONResponse(await asyncio.to_thread(responses.input_tokens, body))


async def compact(http: Request) -> Response:
    await caller(http.app.state.gateway, http)
    message = (
        "compact: the items that it makes are encrypted for the models of one provider, and no other model could go on "
        "from them; leave turns out, or ask a model for a summary and begin with that"
    )
    raise WireError(400, message, code="unsupported_operation")


async def _begun(request: Entered[responses.Body], id: str) -> Kept:
    body = request.body
    return await begin(
        request,
        "response",
        id,
        responses.written(body),
        responses.input_items(body.input, id),
        previous=body.previous_response_id,
        conversation=body.conversation.id if body.conversation else None,
    )


async def _continued(gateway: Gateway, tenant: str, body: responses.Body) -> responses.Body:
    if body.store is not False:
        await asyncio.to_thread(check, responses.input_items(body.input, "resp_new"), "input")
    elif body.background or body.conversation:
        message = "store: `background` and `conversation` need a response that is kept; leave out `store: false`"
        raise WireError(400, message, "store", "invalid_value")
    return await with_earlier(gateway, tenant, body)


def _accept(body: responses.Body, resolve: Resolve) -> Accepted:
    made = responses.request(body, resolve=resolve)
    return replace(made, goes_on=bool(body.background), once=bool(body.conversation))
