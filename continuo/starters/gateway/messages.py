"""Anthropic's `POST /v1/messages` and `/v1/messages/count_tokens`."""

import asyncio
from typing import get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.starters.gateway.callers import caller
from continuo.starters.gateway.entry import Resolve, entered
from continuo.starters.gateway.stream import streamed
from continuo.wire import anthropic
from continuo.wire.accepted import Accepted
from continuo.wire.anthropic.body import Version
from continuo.wire.errors import WireError
from continuo.wire.parsed import parsed


async def create(http: Request) -> Response:
    version, betas = version_of(http), betas_of(http)

    def accept(body: anthropic.Body, resolve: Resolve) -> Accepted:
        return anthropic.request(body, resolve=resolve, version=version, betas=betas)

    request = await entered(http, anthropic.Body, accept)
    body, answering = request.body, request.answering
    id = f"msg_{answering.known.id}"
    if body.stream:
        events = anthropic.Events(id=id, model=body.model)
        return await streamed(answering, events, [events.start()], anthropic.PING, after=answering.after)
    outcome = await answering.outcome()
    made = anthropic.response(outcome, answering.account(outcome), id=id, model=body.model)
    return answering.response(made, outcome)


async def count_tokens(http: Request) -> Response:
    await caller(http.app.state.gateway, http)
    body = parsed(anthropic.CountBody, await http.body())
    return JSONResponse(await asyncio.to_thread(anthropic.input_tokens, body))


def version_of(http: Request) -> Version:
    version = http.headers.get("anthropic-version", "2023-06-01")
    if version not in get_args(Version):
        message = f"anthropic-version: {version[:40]!r} is not known; known: {', '.join(get_args(Version))}"
        raise WireError(400, message, code="unknown_version")
    known: Version = version  # type: ignore[assignment]
    return known


def betas_of(http: Request) -> list[str]:
    lines = http.headers.getlist("anthropic-beta")
    return [beta.strip() for line in lines for beta in line.split(",") if beta.strip()]
