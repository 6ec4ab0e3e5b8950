"""OpenAI's files and batches: a file of requests goes in, one of answers and one of errors come out."""

import json
from collections.abc import Iterable, Mapping
from email import message_from_bytes
from email.policy import HTTP
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.simulator import embeddings, openai
from continuo.simulator.batches.running import known, newest, page, reading, refused, state_of, taken, unique
from continuo.simulator.behaviour import Batch
from continuo.simulator.reply import Json, Wire, new_id
from continuo.simulator.responses import SIMULATED

_WIRES: Mapping[str, Wire] = {"/v1/chat/completions": openai, "/v1/embeddings": embeddings.OpenAI}
"""By the endpoint that all requests of a batch are for."""

DAY = 86400
MOST, MOST_BYTES = 50_000, 200 * 2**20
"""Requests, of embeddings texts, and bytes of one batch."""

_STATUS = {"answered": "completed", "expired": "expired", "cancelled": "cancelled", "failed": "failed"}


async def upload(request: Request) -> Response:
    head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n"
    message = message_from_bytes(head.encode() + await request.body(), policy=HTTP)
    parts = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
    if "file" not in parts or "purpose" not in parts or parts["purpose"].get_content().strip() != "batch":
        return refused(openai, 400, "a file of the purpose batch is expected")
    content = parts["file"].get_payload(decode=True)
    assert isinstance(content, bytes)
    if len(content) > MOST_BYTES:
        return refused(openai, 413, "the file is too large")
    id = new_id("file-")
    state_of(request).files[id] = content
    name = parts["file"].get_filename()
    shown = {"id": id, "object": "file", "bytes": len(content), "filename": name, "purpose": "batch"}
    return JSONResponse(shown, headers=SIMULATED)


async def content(request: Request) -> Response:
    """Of an uploaded file, or of what a batch came to."""
    state, id = state_of(request), request.path_params["id"]
    if (uploaded := state.files.get(id)) is not None:
        return Response(uploaded, headers=SIMULATED, media_type="application/octet-stream")
    batch = state.batches.get(id.removesuffix("-output").removesuffix("-errors").removeprefix("file-"))
    if batch is None or batch.end is None or state.behaviour(batch.model).batch.vanishes:
        return refused(openai, 404, f"No such File object: {id}")
    lines = _output(batch) if id.endswith("-output") else _errors(batch)
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    return Response(text, headers=SIMULATED, media_type="application/octet-stream")


async def create(request: Request) -> Response:
    state = state_of(request)

    def read(body: Json) -> tuple[Json, list[tuple[str, Json]]]:
        endpoint = body["endpoint"]
        if endpoint not in _WIRES or body["completion_window"] != "24h":
            raise ValueError(f"endpoint is to be {' or '.join(_WIRES)}, and completion_window 24h")
        lines = [json.loads(line) for line in state.files[body["input_file_id"]].splitlines()]
        if len(lines) > MOST or any((line["method"], line["url"]) != ("POST", endpoint) for line in lines):
            raise ValueError(f"at most {MOST:,} lines are expected, of the method POST and the url {endpoint}")
        if sum(_texts(line["body"]) for line in lines) > MOST:
            raise ValueError(f"at most {MOST:,} texts are to be embedded by one batch")
        if len({line["body"]["model"] for line in lines}) != 1:
            raise ValueError("all requests are to have one model")
        return body, unique([(line["custom_id"], line["body"]) for line in lines])

    if isinstance(given := await reading(request, openai, read), Response):
        return given
    body, requests = given
    batch = Batch(
        new_id("batch_"),
        "openai",
        _WIRES[body["endpoint"]],
        requests[0][1]["model"],
        requests,
        body.get("metadata"),
        body["input_file_id"],
        body["endpoint"],
    )
    return await taken(state, batch, _shown(batch))


async def retrieve(request: Request) -> Response:
    batch = known(request, "openai")
    return _missing(request) if batch is None else JSONResponse(_shown(batch), headers=SIMULATED)


async def cancel(request: Request) -> Response:
    batch = known(request, "openai")
    if batch is None:
        return _missing(request)
    if batch.end is not None:
        return refused(openai, 409, f"Cannot cancel a batch with status '{_STATUS[batch.end]}'.")
    batch.cancelled = True
    return JSONResponse(_shown(batch), headers=SIMULATED)


async def listed(request: Request) -> Response:
    query = request.query_params
    every = [*newest(request, "openai")]
    some, more = page(every, query.get("after"), int(query.get("limit", 20)))
    body = {"object": "list", "data": [_shown(batch) for batch in some], "has_more": more}
    return JSONResponse(body, headers=SIMULATED)


def _texts(body: Json) -> int:
    """How many are to be embedded."""
    texts = body.get("input")
    return len(texts) if isinstance(texts, list) else 1


def _missing(request: Request) -> Response:
    return refused(openai, 404, f"No batch found with id '{request.path_params['id']}'.")


def _shown(batch: Batch) -> Json:
    output, errors, created = bool([*_output(batch)]), bool([*_errors(batch)]), int(batch.created)
    invalid = {"object": "list", "data": [{"code": "invalid", "message": "scripted by the simulator", "line": 1}]}
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "errors": invalid if batch.end == "failed" else None,
        "input_file_id": batch.file,
        "completion_window": "24h",
        "status": _STATUS[batch.end] if batch.end else "cancelling" if batch.cancelled else "in_progress",
        "output_file_id": f"file-{batch.id}-output" if output else None,
        "error_file_id": f"file-{batch.id}-errors" if errors else None,
        "created_at": created,
        "expires_at": created + DAY,
        "request_counts": {
            "total": len(batch.requests),
            "completed": len([*_output(batch)]),
            "failed": len([*_errors(batch)]),
        },
        "metadata": batch.label,
    }


def _output(batch: Batch) -> Iterable[Json]:
    for id, result in batch.results.items():
        if result is not None and result[0] == 200:
            yield _line(id, result)


def _errors(batch: Batch) -> Iterable[Json]:
    """The requests that were refused, and those that were not answered; a batch that failed as a whole has none."""
    for id, result in batch.results.items():
        if result is None and batch.end != "failed":
            code = "batch_expired" if batch.end == "expired" else "batch_cancelled"
            yield {**_line(id, None), "error": {"code": code, "message": "This request was not executed."}}
        elif result is not None and result[0] != 200:
            yield _line(id, result)


def _line(id: str, result: tuple[int, Json] | None) -> dict[str, Any]:
    response = None
    if result is not None:
        response = {"status_code": result[0], "request_id": new_id(""), "body": result[1]}
    return {"id": new_id("batch_req_"), "custom_id": id, "response": response, "error": None}
