"""`GET /v1/models` and `/v1/models/{id}`, as OpenAI and, with its version header, Anthropic tell them."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.starters.gateway.callers import caller, names
from continuo.starters.gateway.state import Gateway
from continuo.wire import anthropic
from continuo.wire.errors import WireError


async def list_models(http: Request) -> Response:
    ids = await _names(http)
    if "anthropic-version" not in http.headers:
        return JSONResponse({"object": "list", "data": [_model(id) for id in ids]})
    query = http.query_params
    limit = query.get("limit", "20")
    if not limit.isdecimal() or len(limit) > 9:
        raise WireError(400, f"limit: {limit[:20]!r} is no number", "limit", "invalid_value")
    page = anthropic.models(ids, limit=int(limit), after_id=query.get("after_id"), before_id=query.get("before_id"))
    return JSONResponse(page)


async def get_model(http: Request) -> Response:
    id = http.path_params["id"]
    if id not in await _names(http):
        raise WireError(404, f"model: there is no model {id[:80]!r} for this key", "model", "model_not_found")
    return JSONResponse(anthropic.model(id) if "anthropic-version" in http.headers else _model(id))


async def _names(http: Request) -> list[str]:
    gateway: Gateway = http.app.state.gateway
    key = await caller(gateway, http)
    return await asyncio.to_thread(names, gateway.door.library, key)


def _model(id: str) -> dict[str, object]:
    """When it was made is not known."""
    return {"id": id, "object": "model", "created": 0, "owned_by": "continuo"}
