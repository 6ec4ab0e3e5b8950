"""The three services' HTTP side, and the faults that tests and demonstrations script."""

import asyncio
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from continuo.simulator.shop.store import Refused, Store

SERVICES = {"inventory": "reservations", "payment": "charges", "shipping": "shipments"}


class Fault(BaseModel):
    """The next `count` requests of `method` fail with `status` (none: they are only slow), before or `after` the deed.

    `after` is a lost answer: the deed is done, and its caller does not know. `latency` is in seconds.
    """

    model_config = ConfigDict(extra="forbid")

    method: Literal["PUT", "DELETE"] = "PUT"
    count: int = Field(default=1, ge=0)
    status: int | None = 503
    latency: float = 0.0
    after: bool = False


async def serve_deed(request: Request) -> Response:
    store: Store = request.app.state.store
    service, key = request.path_params["service"], request.path_params["key"]
    if SERVICES.get(service) != request.path_params["collection"]:
        return JSONResponse({"error": f"no such service: {service}"}, 404)
    body = await request.body()
    fault = _next_fault(request, service)
    if fault is not None:
        await asyncio.sleep(fault.latency)
        if fault.status is not None and not fault.after:
            store.note(service, key, request.method, fault.status)
            return JSONResponse({"error": "scripted"}, fault.status)
    try:
        deed = store.do(service, key, json.loads(body)) if request.method == "PUT" else store.undo(service, key)
    except Refused as refusal:
        store.note(service, key, request.method, refusal.status)
        return JSONResponse({"error": str(refusal)}, refusal.status)
    except (ValueError, KeyError, TypeError) as error:
        return JSONResponse({"error": f"not an order: {type(error).__name__} {error}"}, 400)
    status = fault.status if fault and fault.after and fault.status else 200
    store.note(service, key, request.method, status)
    return JSONResponse(deed if status == 200 else {"error": "the answer was lost"}, status)


def _next_fault(request: Request, service: str) -> Fault | None:
    fault: Fault | None = request.app.state.faults.get(service)
    if fault is None or fault.method != request.method or fault.count == 0:
        return None
    fault.count -= 1
    return fault


async def script(request: Request) -> Response:
    try:
        request.app.state.faults[request.path_params["service"]] = Fault.model_validate_json(await request.body())
    except ValidationError as error:
        return JSONResponse({"error": error.errors(include_url=False, include_context=False)}, 422)
    return JSONResponse({})


async def forget(request: Request) -> Response:
    request.app.state.faults.clear()
    return JSONResponse({})


async def totals(request: Request) -> Response:
    return JSONResponse(request.app.state.store.totals())


async def operations(request: Request) -> Response:
    return JSONResponse({"operations": request.app.state.store.operations()})


def create_app(store: Store) -> Starlette:
    app = Starlette(
        routes=[
            Route("/_faults/{service}", script, methods=["PUT"]),
            Route("/_faults", forget, methods=["DELETE"]),
            Route("/totals", totals),
            Route("/operations", operations),
            Route("/{service}/{collection}/{key}", serve_deed, methods=["PUT", "DELETE"]),
        ]
    )
    app.state.store = store
    app.state.faults = {}
    return app
