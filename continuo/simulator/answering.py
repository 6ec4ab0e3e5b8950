"""A request for a model's answer: noted, made to wait as long as the model is slow, and answered in its protocol."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.simulator import anthropic, embeddings, google, kserve, openai, transcriptions
from continuo.simulator.behaviour import Behaviour, Call, State
from continuo.simulator.reply import Json, Wire, reply
from continuo.simulator.responses import SIMULATED, EventStream, broken_off

CLIENT_LEFT = 499
"""Sent to nobody."""


async def serve_openai(request: Request) -> Response:
    return await _serve(request, "openai", openai)


async def serve_anthropic(request: Request) -> Response:
    return await _serve(request, "anthropic", anthropic)


async def serve_google(request: Request) -> Response:
    return await _serve(request, "google", google, model=request.path_params["model"])


async def stream_google(request: Request) -> Response:
    return await _serve(request, "google", google, model=request.path_params["model"], stream=True)


async def embed_openai(request: Request) -> Response:
    return await _serve(request, "openai", embeddings.OpenAI)


async def embed_google(request: Request) -> Response:
    return await _serve(request, "google", embeddings.Google, model=request.path_params["model"])


async def infer_kserve(request: Request) -> Response:
    return await _serve(request, "kserve", kserve, model=request.path_params["model"])


async def transcribe_openai(request: Request) -> Response:
    return await _serve(request, "openai", transcriptions, read=transcriptions.form)


async def _json(request: Request) -> Json:
    result: Json = await request.json()
    return result


async def _serve(
    request: Request,
    name: str,
    wire: Wire,
    *,
    model: str = "",
    stream: bool = False,
    read: Callable[[Request], Awaitable[Json]] = _json,
) -> Response:
    state: State = request.app.state.simulator
    key = _key(request)
    call = Call(
        model=model,
        protocol=name,
        stream=stream,
        idempotency_key=request.headers.get("idempotency-key"),
        traceparent=request.headers.get("traceparent"),
        key=key[-4:],
    )
    state.calls.append(call)
    try:
        body = call.body = await read(request)
        call.model = model or str(body["model"])
        call.stream = stream or bool(body.get("stream"))
        question = wire.question(body)
        call.inputs = len(question.embeds)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        call.status = 400
        message = f"the body is no request of this protocol ({type(error).__name__}: {error})"
        return JSONResponse(wire.error(400, message, None), 400, SIMULATED)
    behaviour = state.behaviour(call.model)
    if key in behaviour.keys:
        call.status = behaviour.keys[key]
        content = wire.error(call.status, f"the key {key} is refused", behaviour.error_code)
        return JSONResponse(content, call.status, _error_headers(behaviour))
    if refused := behaviour.refused(body):
        call.status = 400
        message = f"Unsupported parameter: '{refused}' is not supported with this model."
        return JSONResponse(wire.error(400, message, None), 400, SIMULATED)
    if behaviour.refuses_text in question.embeds:
        call.status = 400
        return JSONResponse(wire.error(400, "one of the texts is refused", None), 400, SIMULATED)
    if (said := behaviour.to(question.prompt)) is None:
        call.status = 404
        return JSONResponse(wire.error(404, "no answer to this prompt is known", None), 404, SIMULATED)
    if behaviour.latency and await _left(request, behaviour.latency):
        call.disconnected = True
        return Response(status_code=CLIENT_LEFT)
    call.status = behaviour.next_status()
    if call.status != 200:
        content = wire.error(call.status, behaviour.error_message, behaviour.error_code)
        return JSONResponse(content, call.status, _error_headers(behaviour))
    if behaviour.fault == "reset":
        return broken_off("")
    if behaviour.fault == "not_json":
        return Response("<html>a proxy's error page</html>", headers=SIMULATED, media_type="text/html")
    answer = reply(call.model, question, said)
    cut = behaviour.fault == "cut"
    if call.stream:
        return EventStream(
            list(wire.stream(call.model, answer)),
            call,
            cut=cut,
            pace=behaviour.pace,
            breaks_after=behaviour.breaks_after,
        )
    content = wire.answer(call.model, answer)
    if cut:
        text = json.dumps(content)
        return broken_off(text[: len(text) // 2])
    call.answered = True
    return JSONResponse(content, headers=SIMULATED)


def _key(request: Request) -> str:
    headers = request.headers
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    return headers.get("x-api-key") or headers.get("x-goog-api-key") or bearer


async def _left(request: Request, seconds: float) -> bool:
    """Whether the client went away within that time."""
    try:
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


def _error_headers(behaviour: Behaviour) -> dict[str, str]:
    wanted = {"retry-after": behaviour.retry_after, "retry-after-ms": behaviour.retry_after_ms}
    return {**SIMULATED, **{name: f"{value:.10g}" for name, value in wanted.items() if value is not None}}
