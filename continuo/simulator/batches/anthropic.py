"""Anthropic's message batches: all requests in one body, results as lines of JSON."""

import json
import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.simulator import anthropic
from continuo.simulator.batches.running import known, newest, page, reading, refused, state_of, taken, unique, when
from continuo.simulator.behaviour import Batch
from continuo.simulator.reply import Json, new_id
from continuo.simulator.responses import SIMULATED

MOST = 100_000
DAY = 86400


async def create(request: Request) -> Response:
    def read(body: Json) -> list[tuple[str, Json]]:
        requests = [(one["custom_id"], one["params"]) for one in body["requests"]]
        if len(requests) > MOST:
            raise ValueError(f"there are more than {MOST:,} requests")
        if wrong := next((id for id, _ in requests if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", id)), None):
            raise ValueError(f"custom_id: {wrong[:80]!r} does not match ^[a-zA-Z0-9_-]{{1,64}}$")
        if any(params.get("stream") for _, params in requests):
            raise ValueError("stream is not taken in a batch")
        return unique(requests)

    if isinstance(requests := await reading(request, anthropic, read), Response):
        return requests
    batch = Batch(new_id("msgbatch_"), "anthropic", anthropic, requests[0][1]["model"], requests)
    return await taken(state_of(request), batch, _shown(request, batch))


async def retrieve(request: Request) -> Response:
    batch = known(request, "anthropic")
    return _missing(request) if batch is None else JSONResponse(_shown(request, batch), headers=SIMULATED)


async def cancel(request: Request) -> Response:
    batch = known(request, "anthropic")
    if batch is None:
        return _missing(request)
    batch.cancelled = batch.cancelled or batch.end is None
    return JSONResponse(_shown(request, batch), headers=SIMULATED)


async def listed(request: Request) -> Response:
    query = request.query_params
    every = [*newest(request, "anthropic")]
    some, more = page(every, query.get("after_id"), int(query.get("limit", 20)))
    ends = {"first_id": some[0].id, "last_id": some[-1].id} if some else {"first_id": None, "last_id": None}
    body = {"data": [_shown(request, batch) for batch in some], "has_more": more, **ends}
    return JSONResponse(body, headers=SIMULATED)


async def results(request: Request) -> Response:
    batch = known(request, "anthropic")
    if batch is None or batch.end is None:
        return _missing(request)
    lines = [{"custom_id": id, "result": _result(batch, result)} for id, result in batch.results.items()]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    return Response(text, headers=SIMULATED, media_type="application/x-jsonl")


def _missing(request: Request) -> Response:
    return refused(anthropic, 404, f"there is no batch {request.path_params['id']}, or it has no results yet")


def _result(batch: Batch, result: tuple[int, Json] | None) -> Json:
    if result is None:
        if batch.end == "failed":
            return {"type": "errored", "error": anthropic.error(400, "scripted by the simulator", None)}
        return {"type": "expired" if batch.end == "expired" else "canceled"}
    status, body = result
    return {"type": "succeeded", "message": body} if status == 200 else {"type": "errored", "error": body}


def _shown(request: Request, batch: Batch) -> Json:
    kinds = [_result(batch, result)["type"] for result in batch.results.values()]
    counts = {kind: kinds.count(kind) for kind in ("succeeded", "errored", "canceled", "expired")}
    url = f"{request.base_url}v1/messages/batches/{batch.id}/results"
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": "ended" if batch.end else "canceling" if batch.cancelled else "in_progress",
        "request_counts": {"processing": 0 if batch.end else len(batch.requests), **counts},
        "created_at": when(batch.created),
        "expires_at": when(batch.created + DAY),
        "ended_at": when(batch.created) if batch.end else None,
        "cancel_initiated_at": when(batch.created) if batch.cancelled else None,
        "archived_at": None,
        "results_url": url if batch.end else None,
    }
