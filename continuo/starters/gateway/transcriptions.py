"""`POST /v1/audio/transcriptions`."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from continuo.authoring.library import Library
from continuo.patterns import Call
from continuo.starters.gateway.callers import caller, resolver
from continuo.starters.gateway.entry import Resolve
from continuo.starters.gateway.form import form_of
from continuo.starters.gateway.private import withheld
from continuo.starters.gateway.runs import begin
from continuo.starters.gateway.state import Gateway
from continuo.starters.gateway.stream import streamed
from continuo.wire import transcriptions
from continuo.wire.accepted import Accepted
from continuo.wire.chat import PING
from continuo.wire.errors import WireError
from continuo.wire.parsed import parsed


async def create(http: Request) -> Response:
    gateway: Gateway = http.app.state.gateway
    key = await caller(gateway, http)
    form = await form_of(http)
    fields, private = await withheld(gateway, key, form.fields)

    def read() -> tuple[transcriptions.Body, Accepted]:
        body = parsed(transcriptions.Body, fields)
        timed = body.response_format if body.response_format in transcriptions.TIMED else None
        resolve = _transcribing(gateway.door.library, resolver(gateway.door.library, key), timed)
        return body, transcriptions.request(body, form.file, form.filename, resolve=resolve)

    body, accepted = await asyncio.to_thread(read)
    answering = await begin(gateway, http, key, accepted, form.identity, private)
    if body.stream:
        return await streamed(answering, transcriptions.Events(), (), PING, after=answering.after)
    outcome = await answering.outcome()
    account = answering.account(outcome)
    match body.response_format:
        case "text":
            return answering.response(outcome.text.encode(), outcome, "text/plain")
        case "srt" | "vtt" as subtitles:
            return answering.response(transcriptions.subtitles(outcome, subtitles).encode(), outcome, "text/plain")
        case "verbose_json":
            return answering.response(transcriptions.verbose(outcome, account), outcome)
    return answering.response(transcriptions.response(outcome, account), outcome)


def _transcribing(library: Library, resolve: Resolve, timed: str | None) -> Resolve:
    """`resolve`, which raises `WireError` for a model that would answer an audio and not write down what is said, or
    not when it was said, where the format `timed` tells that."""

    def resolving(name: str) -> str:
        pattern = resolve(name)
        step = library.step(pattern) if pattern.startswith("model:") else None
        if not isinstance(step, Call):
            return pattern
        model = library.catalog.models[step.model]
        if not model.transcribes:
            message = f"model: {name!r} does not transcribe; name a pattern, or a model with `transcribes = true`"
            raise WireError(400, message, "model", "invalid_value")
        if timed and "segments" in library.catalog.refused_by(model):
            message = f"response_format: {name!r} does not tell when it was said, as {timed} does; ask for json or text"
            raise WireError(400, message, "response_format", "unsupported_parameter")
        return pattern

    return resolving
