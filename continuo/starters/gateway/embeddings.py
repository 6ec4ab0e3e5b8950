"""`POST /v1/embeddings`."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from continuo.starters.gateway.entry import entered
from continuo.wire import embeddings


async def create(http: Request) -> Response:
    request = await entered(http, embeddings.Body, lambda body, resolve: embeddings.request(body, resolve=resolve))
    body, answering = request.body, request.answering
    outcome = await answering.outcome()
    made = await asyncio.to_thread(embeddings.response, outcome, answering.account(outcome), body)
    return answering.response(made, outcome)
