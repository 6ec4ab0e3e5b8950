"""From a request to its run: admitted, known again when it is repeated, waited for, and cancelled with its client."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import structlog
from pydantic import JsonValue
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from continuo.access.limits import Admitted, Refused
from continuo.client.following import Following
from continuo.client.results import brief
from continuo.door import PlainRun, Run
from continuo.door import Request as DoorRequest
from continuo.door.answered import Answered
from continuo.door.private import Withheld
from continuo.door.submit import Checked
from continuo.guardrails.private import Private
from continuo.guardrails.restoring import Restoring
from continuo.jobs import Context, Failure, Outcome
from continuo.messages import Message, ModelRequest
from continuo.protection.api_keys import ApiKey
from continuo.protection.rate_limits import any_limit
from continuo.protection.reservation import read_tokens, total
from continuo.starters.gateway.choices import Choices, Followed, FollowingChoices, choices, summed, together
from continuo.starters.gateway.resuming import resumed, resumption
from continuo.starters.gateway.state import Gateway
from continuo.stores.requests import KeyReused, Known, Received
from continuo.stores.waiters import Waiter
from continuo.wire.accepted import Accepted
from continuo.wire.account import account
from continuo.wire.errors import WireError, refusing, status_of
from continuo.wire.written import written

MAX_KEY = 255
"""Characters of an idempotency key."""


class ClientLeft(Exception):
    """The client has closed its connection: nobody is there to be answered."""


class Later(WireError):
    """A request that is refused now and may succeed later; `headers` say when."""

    def __init__(self, status: int, message: str, code: str, headers: Mapping[str, str]) -> None:
        super().__init__(status, message, code=code)
        self.headers = headers


class Answering:
    """A request that has its run. In the end it is `finished`, `left` or, after an error, released."""

    def __init__(
        self,
        gateway: Gateway,
        http: Request,
        known: Known,
        run: Run | PlainRun | Answered | Choices,
        pattern: str,
        admitted: Admitted,
        *,
        streams: bool,
        after: int,
        tenant: str,
        private: Restoring,
    ) -> None:
        """The run is cancelled when the last of those leaves who wait for it; without one in `known` it goes on.
        `after` events of its stream, where it `streams`, the client has already. `private` restores what it is sent."""
        self.known = known
        self.run = run
        self.pattern = pattern
        self.after = after
        self.private = private
        self._tenant = tenant
        self._gateway = gateway
        self._http = http
        self._admitted = admitted
        self._waiter = known.waiter
        self._released = False
        self._closing = ExitStack()
        runs: Sequence[Run | PlainRun | Answered] = run.runs if isinstance(run, Choices) else [run]
        self._runs = [(one, _ending(one, streams=streams)) for one in runs]
        results = [result for _, result in self._runs]
        self._result = results[0] if len(results) == 1 else asyncio.ensure_future(_together(results))
        if known.waiter is not None:
            gateway.waiting.add(known.waiter)

    @property
    def headers(self) -> dict[str, str]:
        """Those of every response to it."""
        return {**self._admitted.headers, "x-continuo-run-id": self.run.id, "x-continuo-pattern": self.pattern}

    def account(self, outcome: Outcome) -> dict[str, JsonValue]:
        return account(outcome, self.pattern)

    async def outcome(self) -> Outcome:
        """Its answer. Raises `WireError` for a run that failed, and `ClientLeft`; then the run is cancelled."""
        if not isinstance(self.run, Answered):
            await self._unless_left(asyncio.wait({self._result}))
        result = self._result.result()
        assert isinstance(result, Outcome)
        await self._learn()
        return result

    @property
    def outcomes(self) -> list[Outcome]:
        """Those of its choices, as far as they are there."""
        ended = [result.result() for _, result in self._runs if result.done() and result.exception() is None]
        return [result for result in ended if isinstance(result, Outcome)]

    async def begun(self, patience: float) -> Followed:
        """Its answer while it comes, as soon as there is a piece of it, or after so many seconds. Raises as `outcome`
        does, for a run that failed before there was any."""
        streams = self._gateway.streams
        followings = [Following(streams, run.run_id, run, result) for run, result in self._runs if run.run_id]
        following: Followed = followings[0]
        if len(followings) > 1:
            following = FollowingChoices(followings, [result for _, result in self._runs])
        self._closing.callback(following.close)
        await self._unless_left(following.begin(patience), following)
        await self._learn()
        return following

    async def _learn(self) -> None:
        """Know what the placeholders stand for that a run has made itself, or another caller of the same agent."""
        if isinstance(self.private, Private) and self.private.spread:
            self.private = Restoring(await self._gateway.vault.values(self._tenant, self.run.id))

    async def _unless_left(self, work: Coroutine[Any, Any, object], following: Followed | None = None) -> None:
        working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(self.client_left())
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
                begun = following is not None and following.begun
                if not begun:
                    self._check()
            else:
                await self.left()
                raise ClientLeft
        except BaseException:
            await self.release()
            raise
        finally:
            working.cancel()
            leaving.cancel()

    def _check(self) -> None:
        """Raise for the first of its runs, or all of them, if these have ended without an answer."""
        for result in (self._runs[0][1], self._result):
            if result.done() and isinstance(failure := result.result(), Failure):
                raise failed(self.private.restored_model(failure))

    def response(
        self, body: Mapping[str, Any] | bytes, outcome: Outcome, media_type: str = "application/json"
    ) -> Response:
        """The answer as a whole, which is `finished` when it has been sent; bytes are of this type."""
        figures = {
            # The operator's own name, which may hold what no header can.
            "provider": outcome.provider and quote(outcome.provider),
            "tier": outcome.tier,
            "cost-usd": outcome.cost_usd,
            "saved-usd": outcome.saved_usd,
        }
        headers = {f"x-continuo-{name}": f"{value}" for name, value in figures.items() if value is not None}
        headers["x-continuo-cache"] = "hit" if outcome.served_by == "cache" else "miss"
        if isinstance(body, bytes):
            content = self.private.restored(body.decode()).encode()
        else:
            content = written(self.private.restored_wire(body))
        return Response(
            content,
            headers={**self.headers, **headers},
            media_type=media_type,
            background=BackgroundTask(self.finished),
        )

    async def client_left(self) -> None:
        """Return when the client has closed its connection; its whole body has been read before."""
        while (await self._http.receive())["type"] != "http.disconnect":
            pass

    async def finished(self) -> None:
        """The client has been told what its run came to, or that nobody knows."""
        tokens = None
        try:
            if len(outcomes := self.outcomes) == len(self._runs):
                outcome = summed(outcomes)
                if not isinstance(self.run, Answered):
                    await self._gateway.requests.delivered(self.known)
                    self._waits_no_more()
                tokens = total(outcome.usage) if outcome.usage else None
        finally:
            await self.release(tokens)

    async def in_background(self) -> None:
        """Keep its place until its run has ended, though nobody waits for that."""
        try:
            await asyncio.wait({self._result})
        finally:
            await (self.finished() if self._result.done() else self.release())

    async def left(self) -> None:
        """The client has gone: its run is cancelled, unless another one waits for it, here or at another process, or
        it may come back for it."""
        try:
            if (waiter := self._waits_no_more()) is not None:
                await self._gateway.waiting.leave(waiter, self.run)
        finally:
            await self.release()

    async def release(self, tokens: int | None = None) -> None:
        """Give back its place among the requests of its key, once; it has used so many tokens, if that is known."""
        if self._released:
            return
        self._released = True
        self._closing.close()
        self._result.cancel()
        for _, result in self._runs:
            result.cancel()
        await self._gateway.limits.release(self._admitted, tokens)
        await self._gateway.waiting.answered(self._waits_no_more())

    def _waits_no_more(self) -> Waiter | None:
        """Who waited until now, if that was counted."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            self._gateway.waiting.discard(waiter)
        return waiter


async def begin(
    gateway: Gateway, http: Request, key: ApiKey, accepted: Accepted, body: bytes, private: Private
) -> Answering:
    """The run of the request: a new one, or that of the request which it repeats or resumes.

    `accepted` was made of the `body` with the placeholders that `private` knows.

    Raises `WireError` for what cannot run, and `Later` for what may not run now.
    """
    received, resume, request = received_of(http, key, body), resumption(http), accepted.request
    async with admitted_of(gateway, key, *accepted.requests, choices=accepted.choices) as admitted:
        known, run = await (
            _answering(gateway, key, accepted, received, private)
            if resume is None
            else resumed(gateway, http, key, accepted, resume)
        )
    after = resume.after if resume else 0
    answering = Answering(
        gateway,
        http,
        known,
        run,
        request.pattern_name,
        admitted,
        streams=request.stream,
        after=after,
        tenant=key.tenant,
        private=private if private.policy.restore else Restoring({}),
    )
    structlog.contextvars.bind_contextvars(pattern=request.pattern_name, workflow_id=run.id)
    # Whatever fails from here on releases it.
    http.scope["answering"] = answering
    return answering


async def _answering(
    gateway: Gateway, key: ApiKey, accepted: Accepted, received: Received, private: Private
) -> tuple[Known, Run | PlainRun | Answered | Choices]:
    """What the request is known as, and what answers it."""
    door, context = gateway.door, context_of(key, user=accepted.request.parameters.user or None)
    with refusing():
        checked = [await door.check_withheld(Withheld(one, context, private)) for one in accepted.requests]
    if received.key is None and not received.retried and not accepted.once and accepted.runs == 1:
        # What is answered at once need not be found again: who asks again is answered again.
        known = Known(uuid4().hex, time.time())
        answered = await gateway.at_once.answer(checked[0].known_as(known.id))
        if answered is not None:
            return known, answered
    waits = not accepted.goes_on
    known = await known_of(gateway, received, waits=waits)
    # One that was left is being cancelled, and whoever joined it would be told so.
    if known.abandoned and await gateway.waiting.lost(known, _result(gateway, checked, known, accepted.choices)):
        known = await known_of(gateway, replace(received, retried=False), waits=waits)
    is_new = received.key is None and not received.retried
    started = choices(checked, known.id, accepted.choices)
    try:
        with refusing():
            runs = [await gateway.running.start(one, accepted.media, is_new=is_new) for one in started]
    except BaseException:
        await gateway.waiting.answered(known.waiter)
        raise
    return known, runs[0] if len(runs) == 1 else Choices(runs)


async def _result(gateway: Gateway, checked: Sequence[Checked], known: Known, each: int) -> Outcome | Failure:
    """What a request came to that was known before."""
    ids = [one.run_id() for one in choices(checked, known.id, each)]
    return await Choices([await gateway.running.run(id) for id in ids]).result()


def _ending(run: Run | PlainRun | Answered, *, streams: bool) -> "asyncio.Future[Outcome | Failure]":
    """What it comes to, in brief where it `streams`; what was answered at once is there, and nobody needs to wait."""
    if not isinstance(run, Answered):
        return asyncio.ensure_future(brief(run) if streams else run.result())
    ended: asyncio.Future[Outcome | Failure] = asyncio.get_running_loop().create_future()
    ended.set_result(run.outcome)
    return ended


async def _together(results: Sequence["asyncio.Future[Outcome | Failure]"]) -> Outcome | Failure:
    return together(await asyncio.gather(*results))


@asynccontextmanager
async def admitted_of(
    gateway: Gateway, key: ApiKey, *requests: DoorRequest, choices: int = 1
) -> AsyncIterator[Admitted]:
    """The place, among those of its key, of what comes as one request; given back when what is inside fails. Raises
    `Later` without one."""
    # Without a limit nobody counts them.
    tokens = sum(map(_tokens, requests)) * choices if any_limit(key.limits) else 0
    admitted = await gateway.limits.admit(key, tokens)
    if isinstance(admitted, Refused):
        raise Later(429, admitted.why, "rate_limit_exceeded", admitted.headers)
    try:
        yield admitted
    except BaseException:
        await gateway.limits.release(admitted, 0)
        raise


async def known_of(gateway: Gateway, received: Received, *, waits: bool = False) -> Known:
    """The request that this one repeats, or it itself. Raises `WireError` for a key that had another body."""
    try:
        return await gateway.requests.known(received, time.time(), waits=waits)
    except KeyReused:
        message = "Idempotency-Key: it was used for another body; take a new one for a new request"
        raise WireError(422, message, code="idempotency_key_reused") from None


def context_of(key: ApiKey, **fields: object) -> Context:
    """For whom the request runs; `fields` are its own. Raises `WireError` that names the one that is wrong."""
    given = {name: value for name, value in fields.items() if value is not None}
    with refusing():
        return Context.model_validate({**dict(key.context()), **given})


async def submitted(gateway: Gateway, known: Known, accepted: Accepted, context: Context, private: Private) -> Run:
    """The run of a request with placeholders. Raises `WireError` for what cannot run."""
    withheld = Withheld(accepted.request.model_copy(update={"id": known.id}), context, private)
    with refusing():
        return await gateway.door.start(await gateway.door.check_withheld(withheld), accepted.media)


def received_of(http: Request, key: ApiKey, body: bytes) -> Received:
    idempotency = http.headers.get("idempotency-key")
    if idempotency is not None and not 0 < len(idempotency) <= MAX_KEY:
        raise WireError(400, f"Idempotency-Key: write 1 to {MAX_KEY} characters", code="invalid_idempotency_key")
    # Of anything that is no number the SDKs make nothing; whoever writes it does not repeat a request.
    count = http.headers.get("x-stainless-retry-count", "0")
    retried = count.isdecimal() and int(count[:9]) > 0
    return Received(key.id, http.url.path, sha256(body).hexdigest(), idempotency, retried)


def _tokens(request: DoorRequest) -> int:
    """What the request may use, about."""
    messages = request.messages or (Message(role="user", content=json.dumps(request.data)),)
    read = ModelRequest(messages=messages, system=request.system)
    return read_tokens(read) + (request.parameters.max_tokens or 0)


def failed(failure: Failure) -> WireError:
    """The error that a run which ended without an answer is for its caller."""
    status = status_of(failure)
    retry = {"x-should-retry": "true" if status.retry else "false"}
    return Later(status.status, failure.message, status.code, retry)
