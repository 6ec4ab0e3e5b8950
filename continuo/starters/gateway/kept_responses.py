"""`/v1/responses/{id}`: retrieved, streamed again, cancelled, deleted, and what it was asked."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from itertools import count
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from temporalio.service import RPCError

from continuo.client.following import LOST, Following, restored_pieces
from continuo.client.results import brief
from continuo.starters.gateway.cancelling import cancel as cancel_run
from continuo.starters.gateway.kept import Named, current, end, named
from continuo.starters.gateway.kept_items import page
from continuo.starters.gateway.responses import PING
from continuo.stores.answers import Kept
from continuo.wire import responses
from continuo.wire.account import account
from continuo.wire.errors import WireError
from continuo.wire.query import flag, number

PATIENCE = 5.0
"""Seconds for which the end of a cancelled run is waited for: a saga that is undone takes longer."""


async def retrieve(http: Request) -> Response:
    query = http.query_params
    stream, after = flag(query.get("stream"), "stream"), number(query.get("starting_after"), "starting_after", -1)
    if flag(query.get("include_obfuscation"), "include_obfuscation"):
        message = "include_obfuscation: streams are not padded here; leave it out"
        raise WireError(400, message, "include_obfuscation", "unsupported_parameter")
    if query.get("starting_after") is not None and not stream:
        message = "starting_after: it is a place in a stream; set `stream=true`"
        raise WireError(400, message, "starting_after", "invalid_value")
    named_one = await named(http, "response")
    if not stream:
        return named_one.shown(_shown(named_one.kept))
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return StreamingResponse(_replayed(named_one, after), media_type="text/event-stream", headers=headers)


async def cancel(http: Request) -> Response:
    response = await named(http, "response")
    gateway, kept = response.gateway, response.kept
    if not responses.read(kept.body).background:
        message = "only a response that was made with `background: true` can be cancelled"
        raise WireError(400, message, "id", "not_in_background")
    if kept.status in ("queued", "in_progress"):
        await cancel_run(await gateway.running.run(kept.run))
        try:
            result = await asyncio.wait_for((await gateway.running.run(kept.run)).result(), PATIENCE)
            kept = await end(gateway, kept, result)
        except TimeoutError:
            kept = await current(gateway, kept)
    return response.shown(_shown(kept))


async def delete(http: Request) -> Response:
    gateway, key, kept, _ = await named(http, "response")
    if kept.status in ("queued", "in_progress"):
        # Nobody could be told its answer.
        await cancel_run(await gateway.running.run(kept.run))
    await gateway.answers.delete(kept)
    await gateway.vault.drop(key.tenant, kept.id)
    return JSONResponse({"id": kept.id, "object": "response.deleted", "deleted": True})


async def input_items(http: Request) -> Response:
    response = await named(http, "response")
    return response.shown(await page(response.gateway, http, response.kept.id))


def _shown(kept: Kept) -> Mapping[str, Any]:
    if kept.answer is not None:
        return kept.answer
    return responses.pending(responses.read(kept.body), id=kept.id, created_at=kept.created, status=kept.status)


async def _replayed(response: Named, after: int) -> AsyncIterator[bytes]:
    """The events of its answer behind `after`: as they first came while the stream log has them, else those of its
    answer as a whole."""
    gateway, kept, private = response.gateway, response.kept, response.private
    body = private.restored_model(responses.read(kept.body))
    run = await gateway.running.run(kept.run)
    try:
        run_id = await run.newest_run_id()
    except RPCError:
        answer, lost = private.restored_wire(kept.answer), [responses.broken(LOST)]
        for event in responses.replayed(body, answer, after=after) if answer else lost:
            yield event
        return
    result = asyncio.ensure_future(brief(run))
    following = Following(gateway.streams, run_id, run, result)
    ended = (kept.answer or {}).get("completed_at")
    events = responses.Events(body, id=kept.id, created_at=kept.created, clock=lambda: ended or time.time())
    number = count()
    try:
        for event in events.start():
            if next(number) > after:
                yield event
        pieces_as_they_come = following.pieces(lambda outcome: account(outcome, kept.pattern))
        async for pieces in restored_pieces(pieces_as_they_come, private):
            for event in [event for piece in pieces for event in events.feed(piece)] if pieces else []:
                if next(number) > after:
                    yield event
            if not pieces:
                yield PING
    finally:
        following.close()
        result.cancel()
