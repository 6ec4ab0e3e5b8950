"""The endpoints that a line of OpenAI's batches may be for: what it asks, and what is answered."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from pydantic import JsonValue

from continuo.jobs import Outcome
from continuo.wire import chat, completions, embeddings, responses
from continuo.wire.accepted import Accepted
from continuo.wire.errors import WireError
from continuo.wire.parsed import Shape, parsed

Endpoint = Literal["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"]
Resolve = Callable[[str], str]
Account = Mapping[str, JsonValue]
Echo = dict[str, Any]


class Answered(NamedTuple):
    """A line that has an answer: `id` is that of the line, `created` in seconds since 1970, `echo` what was kept."""

    outcome: Outcome
    account: Account
    echo: Echo
    id: str
    created: int


class _Handled(NamedTuple):
    """`accept` makes of a body what is submitted, and what the answer tells of it; `answer` is that answer's body."""

    accept: Callable[[bytes, Resolve], tuple[Accepted, Echo]]
    answer: Callable[[Answered], dict[str, Any]]


def accept(endpoint: Endpoint, body: bytes, resolve: Resolve) -> tuple[Accepted, Echo]:
    """What is submitted for a line, and what is kept for its answer. Raises `WireError` for what cannot be taken."""
    return _ENDPOINTS[endpoint].accept(body, resolve)


def answer(endpoint: str, answered: Answered) -> dict[str, Any]:
    """The body of a line's answer."""
    return _ENDPOINTS[endpoint].answer(answered)


def _chat(content: bytes, resolve: Resolve) -> tuple[Accepted, Echo]:
    body = parsed(chat.Body, content)
    _refuse(body, "stream", "store")
    _refuse_several(body.n)
    return chat.request(body, resolve=resolve), {"model": body.model}


def _chat_answer(it: Answered) -> dict[str, Any]:
    return chat.response(it.outcome, it.account, id=f"chatcmpl-{it.id}", model=it.echo["model"], created=it.created)


def _completion(content: bytes, resolve: Resolve) -> tuple[Accepted, Echo]:
    body = parsed(completions.Body, content)
    _refuse(body, "stream")
    _refuse_several(body.n)
    accepted = completions.request(body, resolve=resolve)
    if accepted.others:
        message = "body.prompt: a line of a batch has one; write a line for each"
        raise WireError(400, message, code="unsupported_parameter")
    return accepted, {"model": body.model, **({"echo": True, "prompt": body.prompt} if body.echo else {})}


def _completion_answer(it: Answered) -> dict[str, Any]:
    body = completions.Body.model_validate({"prompt": "", **it.echo})
    return completions.response(it.outcome, it.account, body, id=f"cmpl-{it.id}", created=it.created)


def _embedding(content: bytes, resolve: Resolve) -> tuple[Accepted, Echo]:
    body = parsed(embeddings.Body, content)
    accepted = embeddings.request(body, resolve=resolve)
    echo = {"model": body.model, "inputs": len(accepted.request.messages)}
    return accepted, {**echo, **({"encoding_format": body.encoding_format} if body.encoding_format else {})}


def _embedding_answer(it: Answered) -> dict[str, Any]:
    # How many there were is all that the answer tells of them.
    request = {"input": ["-"] * it.echo["inputs"], "encoding_format": it.echo.get("encoding_format")}
    body = embeddings.Body.model_validate({"model": it.echo["model"], **request})
    made: dict[str, Any] = json.loads(embeddings.response(it.outcome, it.account, body))
    return made


def _response(content: bytes, resolve: Resolve) -> tuple[Accepted, Echo]:
    body = parsed(responses.Body, content)
    _refuse(body, "stream", "store", "background", "conversation", "previous_response_id")
    # It is in the batch's file alone.
    kept = responses.written(body.model_copy(update={"store": False}))
    return responses.request(body, resolve=resolve), json.loads(kept)


def _response_answer(it: Answered) -> dict[str, Any]:
    body = responses.read(json.dumps(it.echo))
    return responses.ended(body, it.outcome, it.account, id=f"resp_{it.id}", created_at=it.created)


def _refuse(body: Shape, *names: str) -> None:
    for name in names:
        if getattr(body, name):
            message = f"body.{name}: it is not taken in a batch; leave it out"
            raise WireError(400, message, code="unsupported_parameter")


def _refuse_several(choices: int | None) -> None:
    if choices not in (None, 1):
        raise WireError(400, "body.n: a line of a batch has one answer; leave it out", code="unsupported_parameter")


_ENDPOINTS: Mapping[str, _Handled] = {
    "/v1/chat/completions": _Handled(_chat, _chat_answer),
    "/v1/completions": _Handled(_completion, _completion_answer),
    "/v1/embeddings": _Handled(_embedding, _embedding_answer),
    "/v1/responses": _Handled(_response, _response_answer),
}
