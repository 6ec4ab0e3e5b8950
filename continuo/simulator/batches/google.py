"""Gemini's batches of inline requests, as operations that end with their responses."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.simulator import google
from continuo.simulator.batches.running import known, newest, page, reading, refused, state_of, taken, unique, when
from continuo.simulator.behaviour import Batch
from continuo.simulator.reply import Json, new_id
from continuo.simulator.responses import SIMULATED

_STATE = {"answered": "SUCCEEDED", "expired": "EXPIRED", "cancelled": "CANCELLED", "failed": "FAILED"}
_CODE = {"cancelled": 1, "failed": 13, "expired": 4}
_GRPC = {400: 3, 401: 16, 403: 7, 404: 5, 429: 8, 503: 14}
MOST_BYTES = 20 * 2**20


async def create(request: Request) -> Response:
    def read(body: Json) -> tuple[Json, list[tuple[str, Json]]]:
        given = body["batch"]
        inline = given["inputConfig"]["requests"]["requests"]
        if not given["displayName"]:
            raise ValueError("displayName is missing")
        return given, unique([(one["metadata"]["key"], one["request"]) for one in inline])

    if len(await request.body()) > MOST_BYTES:
        return refused(google, 400, "Request payload size exceeds the limit: 20971520 bytes.")
    if isinstance(body := await reading(request, google, read), Response):
        return body
    given, requests = body
    batch = Batch(new_id(""), "google", google, request.path_params["model"], requests, given["displayName"])
    return await taken(state_of(request), batch, _shown(batch))


async def retrieve(request: Request) -> Response:
    batch = known(request, "google")
    return _missing(request) if batch is None else JSONResponse(_shown(batch), headers=SIMULATED)


async def cancel(request: Request) -> Response:
    batch = known(request, "google")
    if batch is None:
        return _missing(request)
    batch.cancelled = batch.cancelled or batch.end is None
    return JSONResponse({}, headers=SIMULATED)


async def listed(request: Request) -> Response:
    query = request.query_params
    every = [*newest(request, "google")]
    some, more = page(every, query.get("pageToken"), int(query.get("pageSize", 50)))
    body = {"operations": [_shown(batch) for batch in some], **({"nextPageToken": some[-1].id} if more else {})}
    return JSONResponse(body, headers=SIMULATED)


def _missing(request: Request) -> Response:
    return refused(google, 404, f"there is no operation batches/{request.path_params['id']}")


def _shown(batch: Batch) -> Json:
    state = _STATE[batch.end] if batch.end else "RUNNING"
    metadata = {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
        "name": f"batches/{batch.id}",
        "model": f"models/{batch.model}",
        "displayName": batch.label,
        "createTime": when(batch.created),
        "state": f"BATCH_STATE_{state}",
        "batchStats": {"requestCount": f"{len(batch.requests)}"},
    }
    shown: Json = {"name": f"batches/{batch.id}", "metadata": metadata}
    if batch.end == "answered":
        inlined = [_response(id, result) for id, result in batch.results.items() if result]
        shown |= {"done": True, "response": {"inlinedResponses": {"inlinedResponses": inlined}}}
    elif batch.end:
        shown |= {"done": True, "error": {"code": _CODE[batch.end], "message": f"the batch has {batch.end}"}}
    return shown


def _response(id: str, result: tuple[int, Json]) -> Json:
    status, body = result
    error = {"code": _GRPC.get(status, 13), "message": body["error"]["message"]} if status != 200 else None
    return {**({"error": error} if error else {"response": body}), "metadata": {"key": id}}
