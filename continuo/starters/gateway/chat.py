"""`POST /v1/chat/completions`."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from continuo.starters.gateway.entry import entered
from continuo.starters.gateway.kept import answer_of, begin, check, follow
from continuo.starters.gateway.state import Gateway
from continuo.starters.gateway.stream import streamed
from continuo.wire import chat


async def create(http: Request) -> Response:
    request = await entered(http, chat.Body, lambda body, resolve: chat.request(body, resolve=resolve), _checked)
    body, answering = request.body, request.answering
    id, created = f"chatcmpl-{answering.known.id}", int(answering.known.received)
    kept = None
    if body.store:
        kept = await begin(request, "completion", id, chat.written(body), chat.messages(body, id))
    if body.stream:
        if kept:
            follow(request.gateway, kept)
        usage = bool(body.stream_options and body.stream_options.include_usage)
        events = chat.Events(id=id, model=body.model, created=created, include_usage=usage)
        return await streamed(answering, events, [events.start()], chat.PING, after=answering.after)
    outcome = await answering.outcome()
    account, choices = answering.account(outcome), answering.outcomes
    made = chat.response(outcome, account, id=id, model=body.model, created=created, choices=choices)
    answer = await answer_of(request.gateway, answering, kept, outcome, made)
    return answering.response(chat.shown(answer, kept.metadata) if kept else answer, outcome)


async def _checked(gateway: Gateway, tenant: str, body: chat.Body) -> chat.Body:
    if body.store:
        await asyncio.to_thread(check, chat.messages(body, "new"), "messages")
    return body
