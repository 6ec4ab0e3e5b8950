"""The control side: what models are to do, and what was asked of them."""

from collections import Counter

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.simulator.behaviour import State


async def calls(request: Request) -> Response:
    state: State = request.app.state.simulator
    if request.method == "DELETE":
        state.calls.clear()
    model = request.query_params.get("model")
    matching = [call for call in state.calls if model in (None, call.model)]
    by_model = Counter(call.model for call in matching)
    inputs = Counter({call.model: 0 for call in matching})
    for call in matching:
        inputs[call.model] += call.inputs
    return JSONResponse({"calls": [call.model_dump() for call in matching], "by_model": by_model, "inputs": inputs})


async def model(request: Request) -> Response:
    state: State = request.app.state.simulator
    id = request.path_params["id"]
    if request.method == "PUT":
        try:
            state.script(id, await request.body())
        except ValidationError as error:
            wrong = (f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in error.errors())
            return JSONResponse({"error": "; ".join(wrong)}, 422)
    if request.method == "DELETE":
        state.models.pop(id, None)
    return JSONResponse(state.behaviour(id).model_dump())


async def models(request: Request) -> Response:
    request.app.state.simulator.models.clear()
    return JSONResponse({})


async def health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})
