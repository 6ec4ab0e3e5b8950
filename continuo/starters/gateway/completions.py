"""`POST /v1/completions`, the form before chats."""

from starlette.requests import Request
from starlette.responses import Response

from continuo.starters.gateway.entry import entered
from continuo.starters.gateway.stream import streamed
from continuo.wire import completions
from continuo.wire.chat import PING


async def create(http: Request) -> Response:
    request = await entered(http, completions.Body, lambda body, resolve: completions.request(body, resolve=resolve))
    body, answering = request.body, request.answering
    id, created = f"cmpl-{answering.known.id}", int(answering.known.received)
    if body.stream:
        events = completions.Events(request.shown(), id=id, created=created)
        return await streamed(answering, events, filter(None, [events.start()]), PING, after=answering.after)
    outcome = await answering.outcome()
    account, choices = answering.account(outcome), answering.outcomes
    made = completions.response(outcome, account, body, id=id, created=created, choices=choices)
    return answering.response(made, outcome)
