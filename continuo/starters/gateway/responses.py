"""OpenAI's `POST /v1/responses` and `/v1/responses/input_tokens`, of which nothing is kept for later requests."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.starters.gateway.callers import caller
from continuo.starters.gateway.entry import Resolve, entered
from continuo.starters.gateway.stream import streamed
from continuo.wire import responses
from continuo.wire.accepted import Accepted
from continuo.wire.errors import WireError
from continuo.wire.parsed import parsed

KEPT = ("store", "background", "previous_response_id", "conversation")
"""Fields that want a response to be kept, or one that was."""

PING = b": keep-alive\n\n"


async def create(http: Request) -> Response:
    body, answering = await entered(http, responses.Body, _accept)
    id, created = f"resp_{answering.known.id}", answering.known.received
    # It says of itself what is true: it cannot be retrieved.
    body = body.model_copy(update={"store": False})
    if body.stream:
        events = responses.Events(body, id=id, created_at=created, clock=time.time)
        return await streamed(answering, events, events.start(), PING, after=answering.after)
    outcome = await answering.outcome()
    account, now = answering.account(outcome), time.time()
    made = responses.response(outcome, account, body, id=id, created_at=created, completed_at=now)
    return answering.response(made, outcome)


async def input_tokens(http: Request) -> Response:
    await caller(http.app.state.gateway, http)
    body = parsed(responses.CountBody, await http.body())
    return JSONResponse(await asyncio.to_thread(responses.input_tokens, body))


def _accept(body: responses.Body, resolve: Resolve) -> Accepted:
    for name in KEPT:
        if getattr(body, name):
            message = f"{name}: responses are not kept here; leave it out and send the whole conversation"
            raise WireError(400, message, name, "unsupported_parameter")
    return responses.request(body, resolve=resolve)
