"""OpenAI's `/v1/files`: what batches are made of, and what they come to."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from continuo.guardrails.restoring import PLACEHOLDER
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.batch_results import output
from continuo.starters.gateway.callers import entered
from continuo.starters.gateway.form import form_of
from continuo.starters.gateway.private import keep, restored_lines, restoring, withheld_lines
from continuo.starters.gateway.runs import known_of, received_of
from continuo.starters.gateway.state import Gateway
from continuo.stores.files import StoredFile
from continuo.wire.batches import files
from continuo.wire.errors import WireError
from continuo.wire.listing import listing
from continuo.wire.parsed import parsed
from continuo.wire.query import number

MOST = 10_000
"""Files in a page of the list."""


async def create(http: Request) -> Response:
    """A repeated request finds the file of its first time."""
    gateway, key = await entered(http)
    form = await form_of(http, "content")
    body = parsed(files.Body, form.fields)
    kept_for = body.lifetime
    known = await known_of(gateway, received_of(http, key, form.identity))
    text, private = await withheld_lines(gateway, key, form.file)
    file = StoredFile(
        id=f"file-{known.id}",
        tenant=key.tenant,
        created=known.received,
        expires=known.received + kept_for,
        filename=private.text("".join(filter(str.isprintable, form.filename))[:200]),
        bytes=len(form.file),
    )
    await keep(gateway, key, private, file.id)
    await gateway.files.add(file, text)
    await gateway.requests.delivered(known)
    return JSONResponse(private.restored_wire(files.response(file, body.purpose)))


async def retrieve(http: Request) -> Response:
    gateway, key = await entered(http)
    id = http.path_params["id"]
    if (results := await output(gateway, key, id)) is not None:
        return JSONResponse(files.response(await results.file(id), "batch_output"))
    private = await restoring(gateway, key, id)
    return JSONResponse(private.restored_wire(files.response(await found_file(gateway, key, id))))


async def content(http: Request) -> Response:
    gateway, key = await entered(http)
    id = http.path_params["id"]
    if (results := await output(gateway, key, id)) is not None:
        return StreamingResponse(results.lines(), media_type="application/jsonl")
    file = await found_file(gateway, key, id)
    private = await restoring(gateway, key, id)
    text = await asyncio.to_thread(restored_lines, await content_of(gateway, file), private)
    return Response(text, media_type="application/octet-stream")


async def delete(http: Request) -> Response:
    """The results of a batch are no file of its own, and stay as long as the batch."""
    gateway, key = await entered(http)
    id = http.path_params["id"]
    if await output(gateway, key, id) is not None:
        raise WireError(
            409, "id: the results of a batch go with it; they cannot be deleted alone", "id", "not_deletable"
        )
    file = await found_file(gateway, key, id)
    await gateway.files.delete(file)
    await gateway.vault.drop(key.tenant, id)
    return JSONResponse({"id": file.id, "object": "file", "deleted": True})


async def list_files(http: Request) -> Response:
    gateway, key = await entered(http)
    query = http.query_params
    limit, order = number(query.get("limit"), "limit", MOST), query.get("order", "desc")
    if not 1 <= limit <= MOST:
        raise WireError(400, f"limit: write 1 to {MOST:,}", "limit", "invalid_value")
    if order not in ("asc", "desc"):
        raise WireError(400, "order: write asc or desc", "order", "invalid_value")
    if query.get("purpose", "batch") != "batch":
        return JSONResponse(listing([], more=False))
    after = await found_file(gateway, key, query["after"]) if "after" in query else None
    newest_first = order == "desc"
    rows = await gateway.files.listed(key.tenant, time.time(), limit + 1, after=after, newest_first=newest_first)
    data = [
        (await restoring(gateway, key, file.id)).restored_wire(files.response(file))
        if PLACEHOLDER.search(file.filename)
        else files.response(file)
        for file in rows[:limit]
    ]
    return JSONResponse(listing(data, more=len(rows) > limit))


async def found_file(gateway: Gateway, key: ApiKey, id: str) -> StoredFile:
    """Raises `WireError` for a file that is not there, or another tenant's."""
    file = await gateway.files.find(key.tenant, id, time.time())
    if file is None:
        raise WireError(404, f"there is no file {id[:80]!r} for this key", "id", "file_not_found")
    return file


async def content_of(gateway: Gateway, file: StoredFile) -> bytes:
    content = await gateway.files.content(file)
    if content is None:
        raise WireError(404, f"there is no file {file.id!r} any more", "id", "file_not_found")
    return content
