"""Answers that are kept: begun with their run, ended with its result, and found by whoever asks for them later.

The result is the run's: whatever dies between an answer and its being kept, the next one who looks keeps it.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from temporalio.service import RPCError

from continuo.door.answered import Answered
from continuo.guardrails.restoring import Restoring
from continuo.jobs import Failure, Outcome
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.callers import entered
from continuo.starters.gateway.cancelling import cancel
from continuo.starters.gateway.entry import Entered
from continuo.starters.gateway.kept_items import check_size
from continuo.starters.gateway.private import keep, restoring
from continuo.starters.gateway.runs import Answering
from continuo.starters.gateway.state import Gateway
from continuo.stores.answers import Kept, Kind
from continuo.stores.database import StoreUnavailable
from continuo.stores.items import Content, Item
from continuo.wire import chat, responses
from continuo.wire.account import account
from continuo.wire.errors import WireError
from continuo.wire.kept import apart, is_id

log = structlog.get_logger()

MAX_ITEM = 2_000_000
"""Bytes of an item as JSON, without its media: more than any run takes."""

FORGOTTEN = Failure(type="Forgotten", message="its run is not known any more, and what it came to was not kept")


def content(gateway: Gateway, items: Sequence[Mapping[str, Any]]) -> Content:
    """The items as they are kept."""
    media: dict[str, bytes] = {}
    made = [Item(item["id"], gateway.masker.json(json.dumps(apart(dict(item), media)))) for item in items]
    return Content(made, media)


def check(items: Sequence[Mapping[str, Any]], param: str) -> None:
    """Raise `WireError` for an item that is too large to be kept."""
    for number, item in enumerate(items):
        if (size := len(json.dumps(apart(dict(item), {})))) > MAX_ITEM:
            where = f"{param}.{number}"
            message = f"{where}: an item of {size:,} bytes is not kept, more than {MAX_ITEM:,}; shorten it"
            raise WireError(400, message, where, "item_too_large")


async def begin(
    request: Entered[chat.Body] | Entered[responses.Body],
    kind: Kind,
    id: str,
    body: str,
    items: Sequence[Mapping[str, Any]],
    *,
    previous: str | None = None,
    conversation: str | None = None,
) -> Kept:
    """Keep the request's answer that is to come, and the `items` that it is asked; its run ends if that fails.

    `body` is the request's, written without these.
    """
    gateway, answering = request.gateway, request.answering
    kept = Kept(
        id=id,
        tenant=request.key.tenant,
        kind=kind,
        created=answering.known.received,
        model=request.body.model,
        metadata=request.body.metadata or {},
        body=gateway.masker.json(body),
        run=answering.run.id,
        run_id=answering.run.run_id or "",
        pattern=answering.pattern,
        previous=previous,
        conversation=conversation,
    )
    try:
        if isinstance(answering.run, Answered):
            # It has no run that could be asked later: whoever finds it finds its answer.
            kept, _ = _ended(gateway, kept, answering.run.outcome)
        # In a thread, since media may be large.
        made = await asyncio.to_thread(content, gateway, items)
        await keep(gateway, request.key, request.private, *filter(None, (id, conversation)))
        await gateway.answers.begin(kept, made, partial(check_size, param="conversation"))
    except WireError:
        # What is refused is kept for nobody, whoever waits.
        await cancel(answering.run)
        await answering.release()
        raise
    except BaseException:
        await answering.left()
        raise
    return kept


async def end(gateway: Gateway, kept: Kept, result: Outcome | Failure) -> Kept:
    """Keep what it came to, and give it. Of several who do, the first one counts; they all say the same."""
    ended, output = _ended(gateway, kept, result)
    await gateway.answers.end(ended, output, time.time())
    return ended


async def answer_of(
    gateway: Gateway, answering: Answering, kept: Kept | None, outcome: Outcome, answer: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The `answer` that its run gave, as it is kept, if it is."""
    try:
        if kept is not None and kept.answer is None:
            kept = await end(gateway, kept, outcome)
        return (kept and kept.answer) or answer
    except BaseException:
        await answering.release()
        raise


async def current(gateway: Gateway, kept: Kept) -> Kept:
    """It as it is now: what its run came to meanwhile is kept first."""
    if kept.status != "in_progress" or kept.namespace != gateway.answers.namespace:
        return kept
    run = await gateway.running.run(kept.run)
    match await run.state():
        case "ended":
            return await end(gateway, kept, await run.result())
        case "unknown":
            return await end(gateway, kept, FORGOTTEN)
        case "queued":
            return replace(kept, status="queued")
    return kept


def follow(gateway: Gateway, kept: Kept, answering: Answering | None = None) -> None:
    """Keep what it comes to as soon as that is known here; `answering` has its place among the requests until then."""
    tasks = [_followed(gateway, kept)] if kept.status == "in_progress" else []
    tasks += [answering.in_background()] if answering else []
    for work in tasks:
        task = asyncio.create_task(work)
        gateway.following.add(task)
        task.add_done_callback(gateway.following.discard)


class Named(NamedTuple):
    """An answer that a caller has named, and what restores it."""

    gateway: Gateway
    key: ApiKey
    kept: Kept
    private: Restoring

    def shown(self, body: Mapping[str, Any]) -> JSONResponse:
        """What is told of it, with the values."""
        return JSONResponse(self.private.restored_wire(body))


async def named(http: Request, kind: Kind) -> Named:
    """The answer that the path's `id` names, as it is now. Raises `WireError` where the caller's tenant has none."""
    gateway, key = await entered(http)
    kept = await current(gateway, await find(gateway, key.tenant, kind, http.path_params["id"]))
    return Named(gateway, key, kept, await restoring(gateway, key, kept.id))


async def find(gateway: Gateway, tenant: str, kind: Kind, id: str, param: str = "id") -> Kept:
    """Raises `WireError` where the tenant has no such answer."""
    kept = await gateway.answers.find(tenant, kind, id) if is_id(id) else None
    if kept is None:
        raise missing(kind, id, param)
    return kept


def missing(what: str, id: str, param: str) -> WireError:
    return WireError(
        404, f"{param}: there is no {what} {id[:80]!r}; it may have been deleted", param, f"{what}_not_found"
    )


async def _followed(gateway: Gateway, kept: Kept) -> None:
    try:
        await end(gateway, kept, await (await gateway.running.run(kept.run)).result())
    except (RPCError, StoreUnavailable) as error:
        # Whoever asks for it next keeps it.
        log.warning("an answer is not kept yet", id=kept.id, error=f"{error}")


def _ended(gateway: Gateway, kept: Kept, result: Outcome | Failure) -> tuple[Kept, Content]:
    """The answer as it is kept, and what is added to its conversation."""
    answer: dict[str, Any] = gateway.masker.value(_answer(kept, result))
    if kept.kind == "response":
        output = content(gateway, answer["output"]) if kept.conversation else Content()
        return replace(kept, status=answer["status"], answer=answer), output
    return replace(kept, status="completed" if isinstance(result, Outcome) else "failed", answer=answer), Content()


def _answer(kept: Kept, result: Outcome | Failure) -> dict[str, Any]:
    figures = account(result, kept.pattern) if isinstance(result, Outcome) else {}
    if kept.kind == "response":
        return responses.ended(responses.read(kept.body), result, figures, id=kept.id, created_at=kept.created)
    if isinstance(result, Failure):
        return {}
    return chat.response(result, figures, id=kept.id, model=kept.model, created=int(kept.created))
