"""How a batch goes, whatever protocol it came in: it ends when somebody looks, and its requests are answered then."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.simulator.behaviour import Batch, Batching, Call, End, State
from continuo.simulator.reply import Json, Wire, reply
from continuo.simulator.responses import SIMULATED, broken_off

T = TypeVar("T")


def state_of(request: Request) -> State:
    state: State = request.app.state.simulator
    return state


async def taken(state: State, batch: Batch, shown: Json) -> Response:
    """Keep a batch and answer that it is there, unless that answer is to be lost."""
    state.batches[batch.id], how = batch, state.behaviour(batch.model).batch
    await asyncio.sleep(how.slow)
    return broken_off("") if how.lost else JSONResponse(shown, headers=SIMULATED)


def known(request: Request, protocol: str) -> Batch | None:
    """The batch that a path names, which may just have ended; None where nobody knows it."""
    state = state_of(request)
    batch = state.batches.get(request.path_params["id"])
    if batch is None or batch.protocol != protocol or state.behaviour(batch.model).batch.vanishes:
        return None
    advance(state, batch)
    return batch


def newest(request: Request, protocol: str) -> Iterator[Batch]:
    """Those of a protocol, the last one first."""
    state = state_of(request)
    for batch in reversed(state.batches.values()):
        if batch.protocol == protocol and not state.behaviour(batch.model).batch.vanishes:
            advance(state, batch)
            yield batch


def page(batches: Sequence[Batch], after: str | None, limit: int) -> tuple[Sequence[Batch], bool]:
    """So many of the batches behind the one of the id `after`, and whether there are more."""
    begin = next((at for at, batch in enumerate(batches, 1) if batch.id == after), 0)
    return batches[begin : begin + limit], len(batches) > begin + limit


def advance(state: State, batch: Batch) -> None:
    """End a batch whose time has come, and answer its requests; the last one first, since no order is promised."""
    how = state.behaviour(batch.model).batch
    if batch.end is not None or not (batch.cancelled or time.time() >= batch.created + how.delay):
        return
    batch.end = _end(batch, how)
    most = 0 if batch.end == "failed" else how.answers
    if most is None:
        most = 0 if batch.cancelled else len(batch.requests)
    if batch.protocol == "google" and batch.end != "answered":
        # Of one that has not ended well this provider gives no answer.
        most = 0
    for number, (id, body) in reversed([*enumerate(batch.requests)]):
        batch.results[id] = _answered(state, batch, body) if number < most else None


def _end(batch: Batch, how: Batching) -> End:
    if how.invalid:
        return "failed"
    if batch.cancelled:
        return "cancelled"
    return "answered" if how.answers is None or how.answers >= len(batch.requests) else "expired"


def _answered(state: State, batch: Batch, body: Json) -> tuple[int, Json]:
    behaviour, wire = state.behaviour(batch.model), batch.wire
    call = Call(
        model=batch.model,
        protocol=f"{batch.protocol} batch",
        stream=False,
        idempotency_key=None,
        traceparent=None,
        body=body,
    )
    state.calls.append(call)
    try:
        question = wire.question(body)
        call.inputs = len(question.embeds)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        call.status = 400
        return 400, wire.error(400, f"no request of this protocol ({type(error).__name__}: {error})", None)
    if refused := behaviour.refused(body):
        call.status = 400
        return 400, wire.error(400, f"Unsupported parameter: '{refused}' is not supported with this model.", None)
    if behaviour.refuses_text in question.embeds:
        call.status = 400
        return 400, wire.error(400, "one of the texts is refused", None)
    call.status = behaviour.next_status()
    if call.status != 200:
        return call.status, wire.error(call.status, behaviour.error_message, behaviour.error_code)
    call.answered = True
    return 200, wire.answer(batch.model, reply(batch.model, question, behaviour))


def when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def refused(wire: Wire, status: int, message: str) -> Response:
    return JSONResponse(wire.error(status, message, None), status, SIMULATED)


async def reading(request: Request, wire: Wire, read: Callable[[Json], T]) -> T | Response:
    """What `read` makes of the JSON body, or the answer that it is no batch."""
    try:
        return read(await request.json())
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return refused(wire, 400, f"the body is no batch of this protocol ({type(error).__name__}: {error})")


def unique(requests: list[tuple[str, Json]]) -> list[tuple[str, Json]]:
    """The same. Raises `ValueError` where there are none, or two have one id."""
    if not requests or len(dict(requests)) < len(requests):
        raise ValueError("a batch has requests, each with an id of its own")
    return requests
