"""From a request to its run: admitted, known again when it is repeated, waited for, and cancelled with its client."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from pydantic import JsonValue
from starlette.requests import Request

from continuo.access.limits import Admitted, Refused
from continuo.door import Run
from continuo.errors import InputError, NoServer
from continuo.jobs import Failure, Outcome
from continuo.messages import ModelRequest
from continuo.protection.api_keys import ApiKey
from continuo.protection.reservation import read_tokens
from continuo.starters.gateway.state import Gateway
from continuo.stores.requests import KeyReused, Known, Received
from continuo.wire.accepted import Accepted
from continuo.wire.account import account
from continuo.wire.errors import WireError, refusing, status_of
from continuo.wire.pieces import Broken, Piece, pieces

KEEP_ALIVE = 10.0
"""Seconds without a piece after which a stream tells that it lives."""

MAX_KEY = 255
"""Characters of an idempotency key."""


class ClientLeft(Exception):
    """The client has closed its connection: nobody is there to be answered."""


class Later(WireError):
    """A request that is refused now and may succeed later; `headers` say when."""

    def __init__(self, status: int, message: str, code: str, headers: Mapping[str, str]) -> None:
        super().__init__(status, message, code=code)
        self.headers = headers


@dataclass
class Answering:
    """A request that has its run. It is `left` or `finished`, once."""

    gateway: Gateway
    http: Request
    known: Known
    run: Run
    pattern: str
    admitted: Admitted
    goes_on: bool

    @property
    def headers(self) -> dict[str, str]:
        """Those of every response to it."""
        return {**self.admitted.headers, "x-continuo-run-id": self.run.id, "x-continuo-pattern": self.pattern}

    def account(self, outcome: Outcome) -> dict[str, JsonValue]:
        return account(outcome, self.pattern)

    async def outcome(self) -> Outcome:
        """Its answer. Raises `WireError` for a run that failed, and `ClientLeft`; then the run is cancelled."""
        waiting = asyncio.ensure_future(self.run.result())
        leaving = asyncio.ensure_future(_disconnected(self.http))
        try:
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                await self.left()
                raise ClientLeft
            result = waiting.result()
        finally:
            waiting.cancel()
            leaving.cancel()
        if isinstance(result, Failure):
            await self._ended(None)
            raise failed(result)
        return result

    async def pieces(self) -> AsyncIterator[Piece | None]:
        """The answer piece by piece; None whenever none came for `KEEP_ALIVE`."""
        waiting = asyncio.ensure_future(self.run.result())
        try:
            while not waiting.done():
                await asyncio.wait({waiting}, timeout=KEEP_ALIVE)
                if not waiting.done():
                    yield None
        finally:
            waiting.cancel()
        result = waiting.result()
        if isinstance(result, Failure):
            yield Broken(result.cause)
            await self._ended(None)
            return
        for piece in pieces(result, self.account(result)):
            yield piece
        await self.finished(result)

    async def finished(self, outcome: Outcome) -> None:
        """The answer has been sent."""
        await self.gateway.requests.delivered(self.known.id)
        used = outcome.usage
        await self._ended(used.input_tokens + used.output_tokens if used else None)

    async def left(self) -> None:
        """The client has gone: its run is cancelled, unless another client waits for it or may come back for it."""
        await self._ended(None)
        if not self.goes_on and not self.gateway.waiting[self.known.id]:
            await self.run.cancel()

    async def _ended(self, tokens: int | None) -> None:
        self.gateway.waiting -= type(self.gateway.waiting)({self.known.id: 1})  # type: ignore[misc]
        await self.gateway.limits.release(self.admitted, tokens)


async def begin(gateway: Gateway, http: Request, key: ApiKey, accepted: Accepted, body: bytes) -> Answering:
    """The run of the request: a new one, or that of the request which it repeats.

    Raises `WireError` for what cannot run, and `Later` for what may not run now.
    """
    received = _received(http, key, body)
    request = accepted.request
    admitted = await gateway.limits.admit(key, _tokens(request.messages, request.system, request.parameters.max_tokens))
    if isinstance(admitted, Refused):
        raise Later(429, admitted.why, "rate_limit_exceeded", admitted.headers)
    try:
        try:
            known = await gateway.requests.known(received, time.time())
        except KeyReused:
            message = "Idempotency-Key: it was used for another body; take a new one for a new request"
            raise WireError(422, message, code="idempotency_key_reused") from None
        if accepted.blobs:
            await gateway.payloads.keep(accepted.blobs, time.time())
        context = key.context()
        if request.parameters.user:
            with refusing("user"):
                context = type(context).model_validate({**context.model_dump(), "user": request.parameters.user})
        with refusing():
            run = await gateway.door.submit(request.model_copy(update={"id": known.id}), context)
    except BaseException:
        await gateway.limits.release(admitted, 0)
        raise
    gateway.waiting[known.id] += 1
    return Answering(gateway, http, known, run, request.pattern_name, admitted, goes_on=received.key is not None)


def _received(http: Request, key: ApiKey, body: bytes) -> Received:
    idempotency = http.headers.get("idempotency-key")
    if idempotency is not None and not 0 < len(idempotency) <= MAX_KEY:
        raise WireError(400, f"Idempotency-Key: write 1 to {MAX_KEY} characters", code="invalid_idempotency_key")
    # Of anything that is no number the SDKs make nothing; whoever writes it does not repeat a request.
    count = http.headers.get("x-stainless-retry-count", "0")
    retried = count.isdecimal() and int(count[:9]) > 0
    return Received(key.id, http.url.path, sha256(body).hexdigest(), idempotency, retried)


def _tokens(messages: tuple[object, ...], system: str | None, most: int | None) -> int:
    """What the request may use, about."""
    read = ModelRequest.model_validate({"messages": messages, "system": system})
    return read_tokens(read) + (most or 0)


def failed(failure: Failure) -> WireError:
    """The error that a run which ended without an answer is for its caller."""
    status = status_of(failure)
    retry = {"x-should-retry": "true" if status.retry else "false"}
    return Later(status.status, failure.message, status.code, retry)


async def _disconnected(http: Request) -> None:
    while (await http.receive())["type"] != "http.disconnect":
        pass


def unavailable(error: Exception) -> WireError | None:
    """What an error is to a caller that means that something of ours is away; None for any other."""
    if isinstance(error, NoServer | InputError):
        return None
    return None
