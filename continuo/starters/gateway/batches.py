"""OpenAI's `/v1/batches` and Anthropic's `/v1/messages/batches`: many requests, each a durable run of its own."""

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from continuo.authoring.prepare import validated
from continuo.door.media import keep as keep_media
from continuo.door.request import Line
from continuo.errors import InputError
from continuo.guardrails.private import Private
from continuo.operations.batches import AtProvider, BatchRow, Origin, Terms
from continuo.parts import Media
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.batch_input import Lines, read_input, terms_of
from continuo.starters.gateway.batch_results import anthropic_lines
from continuo.starters.gateway.callers import entered, resolver
from continuo.starters.gateway.messages import betas_of, version_of
from continuo.starters.gateway.private import withheld
from continuo.starters.gateway.runs import known_of, received_of
from continuo.starters.gateway.state import Gateway
from continuo.starters.gateway.webhooks import webhook_of
from continuo.wire.accepted import Accepted
from continuo.wire.batches import anthropic, openai
from continuo.wire.errors import WireError, refusing
from continuo.wire.listing import listing
from continuo.wire.parsed import parsed
from continuo.wire.query import number

Api = Literal["openai", "anthropic"]
KnownBatch = tuple[BatchRow, Terms, Origin]

PROVIDER_BATCH = "x-continuo-provider-batch"
"""The header of who wants batches of the provider's own, and within which time, such as `24h`."""

MOST = 100
"""Batches in a page of a list."""

LISTED = 1_000
"""The newest batches of a tenant that are looked through for a page."""


async def create(http: Request) -> Response:
    """Answers when every line is checked and kept: from then on it goes on whatever is killed."""
    gateway, key = await entered(http)
    file_id = parsed(openai.Body, await http.body()).input_file_id
    content, private = await withheld(gateway, key, await http.body(), file_id)
    body = parsed(openai.Body, content)
    input, lines = await read_input(gateway, key, file_id, body.endpoint)
    webhook = await webhook_of(gateway, body.webhook)
    origin = Origin(api="openai", endpoint=body.endpoint, file=file_id, metadata=body.metadata, webhook=webhook)
    known = await known_of(gateway, received_of(http, key, await http.body()))
    batch = await _submitted(http, gateway, key, f"batch_{known.id}", origin, input + content, lines, private)
    await gateway.requests.delivered(known)
    return await _shown(gateway, batch, openai.response(batch, origin))


async def retrieve(http: Request) -> Response:
    gateway, key = await entered(http)
    batch, _, origin = await _batch(gateway, key, "openai", http.path_params["id"])
    return await _shown(gateway, batch, openai.response(batch, origin))


async def cancel(http: Request) -> Response:
    """Begins no more of it; what is under way ends as it would."""
    gateway, key = await entered(http)
    batch, origin = await _cancelled(gateway, await _batch(gateway, key, "openai", http.path_params["id"]))
    return await _shown(gateway, batch, openai.response(batch, origin))


async def list_batches(http: Request) -> Response:
    gateway, key = await entered(http)
    query = http.query_params
    page, more = await _page(gateway, key, "openai", query.get("limit"), query.get("after"), None)
    data = [
        (await gateway.batches.restoring(batch)).restored_wire(openai.response(batch, origin))
        if origin.metadata
        else openai.response(batch, origin)
        for batch, _, origin in page
    ]
    return JSONResponse(listing(data, more=more))


async def create_messages(http: Request) -> Response:
    gateway, key = await entered(http)
    version, betas = version_of(http), betas_of(http)
    content, private = await withheld(gateway, key, await http.body())

    def read() -> tuple[anthropic.Body, list[tuple[Line, Accepted]]]:
        body = parsed(anthropic.Body, content)
        return body, list(anthropic.lines(body, resolver(gateway.door.library, key), version, betas))

    known = await known_of(gateway, received_of(http, key, await http.body()))
    body, lines = await asyncio.to_thread(read)
    origin = Origin(api="anthropic", endpoint="/v1/messages", webhook=await webhook_of(gateway, body.webhook))
    batch = await _submitted(http, gateway, key, f"msgbatch_{known.id}", origin, content, lines, private)
    await gateway.requests.delivered(known)
    return JSONResponse(anthropic.response(batch, origin, _url(http, batch)))


async def retrieve_messages(http: Request) -> Response:
    gateway, key = await entered(http)
    batch, _, origin = await _batch(gateway, key, "anthropic", http.path_params["id"])
    return JSONResponse(anthropic.response(batch, origin, _url(http, batch)))


async def cancel_messages(http: Request) -> Response:
    gateway, key = await entered(http)
    batch, origin = await _cancelled(gateway, await _batch(gateway, key, "anthropic", http.path_params["id"]))
    return JSONResponse(anthropic.response(batch, origin, _url(http, batch)))


async def delete_messages(http: Request) -> Response:
    gateway, key = await entered(http)
    batch, _, _ = await _batch(gateway, key, "anthropic", http.path_params["id"])
    if batch.ended is None:
        raise WireError(400, "the batch is being processed; cancel it first", code="batch_in_progress")
    await gateway.batch_store.drop(batch.tenant, batch.id)
    return JSONResponse({"id": batch.id, "type": "message_batch_deleted"})


async def list_messages(http: Request) -> Response:
    gateway, key = await entered(http)
    query = http.query_params
    page, more = await _page(
        gateway, key, "anthropic", query.get("limit"), query.get("after_id"), query.get("before_id")
    )
    data = [anthropic.response(batch, origin, _url(http, batch)) for batch, _, origin in page]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return JSONResponse({"data": data, "has_more": more, "first_id": first, "last_id": last})


async def results(http: Request) -> Response:
    gateway, key = await entered(http)
    batch, _, _ = await _batch(gateway, key, "anthropic", http.path_params["id"])
    if batch.ended is None:
        raise WireError(400, "the batch is being processed: there are no results yet", code="batch_in_progress")
    return StreamingResponse(anthropic_lines(gateway, batch), media_type="application/x-jsonl")


def place_of(http: Request) -> AtProvider | None:
    """Where the caller wants batches of the provider's own. Raises `WireError`."""
    within = http.headers.get(PROVIDER_BATCH)
    if within is None:
        return None
    try:
        return validated(AtProvider, within=within)
    except InputError as error:
        raise WireError(400, f"{PROVIDER_BATCH}: {error}", code="invalid_value") from None


async def _shown(gateway: Gateway, batch: BatchRow, body: dict[str, Any]) -> JSONResponse:
    return JSONResponse((await gateway.batches.restoring(batch)).restored_wire(body))


async def _submitted(
    http: Request,
    gateway: Gateway,
    key: ApiKey,
    id: str,
    origin: Origin,
    content: bytes,
    lines: Lines,
    private: Private,
) -> BatchRow:
    """The batch, begun. Raises `WireError` for the first line that cannot run; nothing has begun then."""
    terms = await terms_of(gateway, key, origin, lines, at_provider=place_of(http))
    media: dict[Media, bytes] = {}
    for _, accepted in lines:
        media |= accepted.media
    with refusing():
        await keep_media(gateway.door.client, gateway.door.library.settings, media)
        digest = await asyncio.to_thread(lambda: sha256(content).hexdigest())
        return await gateway.batches.submit(id, digest, terms, "line", [line for line, _ in lines], private)


async def _batch(gateway: Gateway, key: ApiKey, api: Api, id: str) -> KnownBatch:
    """Raises `WireError` for a batch that is not there, is another tenant's, or came in otherwise."""
    batch = await gateway.batch_store.get(key.tenant, id)
    known = await _known(gateway, batch, api) if batch else None
    if known is None:
        raise WireError(404, f"there is no batch {id[:80]!r} for this key", "id", "batch_not_found")
    return known


async def _known(gateway: Gateway, batch: BatchRow, api: Api) -> KnownBatch | None:
    """None for one that came in otherwise, or that has the items of a schedule."""
    terms = await gateway.batch_store.terms(batch.tenant, batch.id)
    if terms.origin is None or terms.origin.api != api or batch.state == "planned":
        return None
    return batch, terms, terms.origin


async def _cancelled(gateway: Gateway, known: KnownBatch) -> tuple[BatchRow, Origin]:
    batch, terms, origin = known
    if batch.ended is not None:
        raise WireError(409, "the batch has ended: nothing is left to cancel", code="batch_ended")
    terms = terms.cancelled(origin.cancelling or datetime.now(UTC))
    assert terms.origin is not None
    # First noted: what has not begun yet looks at that.
    await gateway.batch_store.note(batch.tenant, batch.id, terms)
    await gateway.batches.stop(batch)
    return await gateway.batch_store.get(batch.tenant, batch.id) or batch, terms.origin


async def _page(
    gateway: Gateway, key: ApiKey, api: Api, limit: str | None, after: str | None, before: str | None
) -> tuple[list[KnownBatch], bool]:
    """The newest batches behind `after`, or those just before `before`, and whether there are more of them."""
    most = number(limit, "limit", 20)
    if not 1 <= most <= MOST:
        raise WireError(400, f"limit: write 1 to {MOST}", "limit", "invalid_value")
    rows = await gateway.batch_store.listed(key.tenant, LISTED)
    known = [one for batch in rows if (one := await _known(gateway, batch, api)) is not None]
    ids = [batch.id for batch, _, _ in known]
    for name in filter(None, (after, before)):
        if name not in ids:
            raise WireError(404, f"there is no batch {name[:80]!r} for this key", code="batch_not_found")
    if before is not None:
        known = known[: ids.index(before)]
        return known[-most:], len(known) > most
    known = known[ids.index(after) + 1 :] if after is not None else known
    return known[:most], len(known) > most


def _url(http: Request, batch: BatchRow) -> str:
    return f"{http.base_url}v1/messages/batches/{batch.id}"
