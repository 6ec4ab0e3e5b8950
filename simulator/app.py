"""The server: it waits as long as the model is slow, notices when the client leaves, and answers in its protocol."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from types import ModuleType

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from simulator import anthropic, google, openai
from simulator.behaviour import Behaviour, Call, State
from simulator.reply import Json, reply

SIMULATED = {"x-continuo-simulated": "true"}


class ConnectionReset(Exception):
    """Raised to make the server drop the connection without an answer."""


async def serve_openai(request: Request) -> Response:
    body = await request.json()
    return await _serve(request, openai, body, body["model"], stream=bool(body.get("stream")))


async def serve_anthropic(request: Request) -> Response:
    body = await request.json()
    return await _serve(request, anthropic, body, body["model"], stream=bool(body.get("stream")))


async def serve_google(request: Request) -> Response:
    model, _, method = request.path_params["method"].rpartition(":")
    return await _serve(request, google, await request.json(), model, stream=method == "streamGenerateContent")


async def _serve(request: Request, protocol: ModuleType, body: Json, model: str, *, stream: bool) -> Response:
    state: State = request.app.state.simulator
    behaviour = state.behaviour(model)
    call = Call(
        model=model,
        protocol=protocol.__name__.rpartition(".")[2],
        stream=stream,
        idempotency_key=request.headers.get("idempotency-key"),
        traceparent=request.headers.get("traceparent"),
        body=body,
    )
    state.calls.append(call)
    if behaviour.latency and await _left(request, behaviour.latency):
        call.disconnected = True
        return Response(status_code=499)
    call.status = behaviour.next_status()
    if call.status != 200:
        content = protocol.error(call.status, behaviour.error_message, behaviour.error_code)
        return JSONResponse(content, call.status, _retry_headers(behaviour))
    question = protocol.question(body)
    answer = reply(model, question, behaviour)
    if behaviour.fault == "reset":
        return StreamingResponse(_reset(), headers=SIMULATED)
    if behaviour.fault == "not_json":
        return Response("<html>a proxy's error page</html>", headers=SIMULATED)
    call.answered = True
    if stream:
        events = list(protocol.stream(model, answer))
        sent = _events(events[: len(events) // 2] if behaviour.fault == "cut" else events)
        return StreamingResponse(sent, headers=SIMULATED, media_type="text/event-stream")
    content = protocol.answer(model, question, answer)
    if behaviour.fault == "empty":
        content = protocol.empty(content)
    if behaviour.fault == "cut":
        return StreamingResponse(_cut(json.dumps(content)), headers=SIMULATED, media_type="application/json")
    return JSONResponse(content, headers=SIMULATED)


async def _left(request: Request, seconds: float) -> bool:
    """Whether the client went away within that time."""
    try:
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


async def _events(events: list[str]) -> AsyncIterator[str]:
    for event in events:
        yield event


async def _cut(text: str) -> AsyncIterator[str]:
    yield text[: len(text) // 2]
    raise ConnectionReset


async def _reset() -> AsyncIterator[str]:
    raise ConnectionReset
    yield ""


def _retry_headers(behaviour: Behaviour) -> dict[str, str]:
    wanted = {"retry-after": behaviour.retry_after, "retry-after-ms": behaviour.retry_after_ms}
    return {**SIMULATED, **{name: f"{value:g}" for name, value in wanted.items() if value is not None}}


async def calls(request: Request) -> Response:
    state: State = request.app.state.simulator
    if request.method == "DELETE":
        state.calls.clear()
    model = request.query_params.get("model")
    found = [call for call in state.calls if model in (None, call.model)]
    by_model = Counter(call.model for call in found)
    return JSONResponse({"calls": [call.model_dump() for call in found], "by_model": by_model})


async def models(request: Request) -> Response:
    request.app.state.simulator.models.clear()
    return JSONResponse({})


async def model(request: Request) -> Response:
    state: State = request.app.state.simulator
    id = request.path_params["id"]
    if request.method == "PUT":
        try:
            state.models[id] = Behaviour.model_validate_json(await request.body())
        except ValidationError as error:
            first = error.errors()[0]
            return JSONResponse({"error": f"{'.'.join(map(str, first['loc']))}: {first['msg']}"}, 422)
    if request.method == "DELETE":
        state.models.pop(id, None)
    return JSONResponse(state.behaviour(id).model_dump())


async def health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def known_models(request: Request) -> Response:
    ids = request.app.state.simulator.models
    return JSONResponse({"object": "list", "data": [{"id": id, "object": "model"} for id in ids]})


def create_app(latency: float = 0.0) -> Starlette:
    """The server's application. `latency` in seconds is that of every model without one of its own."""
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", serve_openai, methods=["POST"]),
            Route("/v1/messages", serve_anthropic, methods=["POST"]),
            Route("/v1beta/models/{method:path}", serve_google, methods=["POST"]),
            Route("/v1/models", known_models),
            Route("/_sim/calls", calls, methods=["GET", "DELETE"]),
            Route("/_sim/models", models, methods=["DELETE"]),
            Route("/_sim/models/{id:path}", model, methods=["GET", "PUT", "DELETE"]),
            Route("/_sim/health", health),
        ]
    )
    app.state.simulator = State(latency)
    return app
