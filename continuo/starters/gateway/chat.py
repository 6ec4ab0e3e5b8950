"""`POST /v1/chat/completions`."""

from starlette.requests import Request
from starlette.responses import Response

from continuo.starters.gateway.entry import entered
from continuo.starters.gateway.stream import streamed
from continuo.wire import chat


async def create(http: Request) -> Response:
    request = await entered(http, chat.Body, lambda body, resolve: chat.request(body, resolve=resolve))
    body, answering = request.body, request.answering
    id, created = f"chatcmpl-{answering.known.id}", int(answering.known.received)
    if body.stream:
        usage = bool(body.stream_options and body.stream_options.include_usage)
        events = chat.Events(id=id, model=body.model, created=created, include_usage=usage)
        return await streamed(answering, events, events.start(), chat.PING)
    outcome = await answering.outcome()
    made = chat.response(outcome, answering.account(outcome), id=id, model=body.model, created=created)
    return answering.response(made, outcome)
