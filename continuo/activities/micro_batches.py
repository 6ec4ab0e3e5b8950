"""Small embedding requests of one model, sent as one: each caller gets its own answer, error and bill."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import replace
from time import monotonic, time
from uuid import uuid4

import structlog

from continuo.activities.admission import Admission, Admitted
from continuo.activities.breakers import Breakers
from continuo.activities.seats import Gathering, Late, Seat, billed, fail, key_of, one_call
from continuo.config.catalog import MicroBatch
from continuo.decisions.micro_batches import alike, may_be_one
from continuo.errors import ProviderError
from continuo.protection.rate_limits import Wait
from continuo.providers.client import ModelClient
from continuo.providers.embeddings import Embedding
from continuo.providers.exchange import Exchange

log = structlog.get_logger()


class Refused(Exception):
    """The limits left no room for the call, of which nothing was sent; `wait` says when to ask again."""

    def __init__(self, wait: Wait) -> None:
        super().__init__(wait.why)
        self.wait = wait


class MicroBatches:
    """Gathers the calls of one worker. Those share a call that ask one model, by the same catalog and so with the same
    key, for the same thing: tenants may, two `user`s or two numbers of `dimensions` do not."""

    def __init__(self, client: ModelClient, admission: Admission, breakers: Breakers) -> None:
        self._client = client
        self._admission = admission
        self._breakers = breakers
        self._open: dict[object, Gathering] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # One turn under the limits for all calls of a model: whichever is made next goes first.
        self._turn = uuid4().hex

    async def aclose(self) -> None:
        """What is still under way has no caller, but for one that was not told that it has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def embed(self, admitted: Admitted, *, timeout: float, exchange: Exchange, late: Late) -> Embedding:
        """The caller's own embeddings, with its share of the usage, and in `exchange` of the cost.

        Raises `ProviderError` as a call of its own would, and `Refused`. Who is cancelled leaves the others alone: the
        call goes on for them, and `late` is given what was paid for nobody.
        """
        seat = Seat(admitted, exchange, late)
        gathering = self._join(seat, timeout)
        try:
            return await seat.answer
        except asyncio.CancelledError:
            if seat.answer.done() and not seat.answer.cancelled():
                # It has just come, and is paid.
                return seat.answer.result()
            exchange.billable = seat.sent is not None and seat.sent.billable
            if gathering.task and all(one.answer.cancelled() for one in gathering.seats):
                # Whoever comes before it has ended would wait for nothing.
                self._close(gathering)
                gathering.task.cancel()
            raise

    def _join(self, seat: Seat, timeout: float) -> Gathering:
        admitted, most = seat.admitted, _most(seat.admitted)
        key = (id(admitted.catalog), admitted.model.id, admitted.model.provider, timeout, alike(admitted.request))
        gathering = self._open.get(key)
        if gathering is not None and not gathering.has_room(seat, most):
            self._close(gathering)
            gathering = None
        if gathering is None:
            gathering = self._open[key] = Gathering(key)
            # In no caller's context: what it logs is not one caller's.
            run = self._run(gathering, most.window, timeout)
            gathering.task = asyncio.get_running_loop().create_task(run, context=Context())
            self._tasks.add(gathering.task)
            gathering.task.add_done_callback(self._tasks.discard)
        gathering.add(seat)
        if gathering.inputs >= most.max_inputs or gathering.tokens >= most.max_tokens:
            self._close(gathering)
        return gathering

    def _close(self, gathering: Gathering) -> None:
        if self._open.get(gathering.key) is gathering:
            del self._open[gathering.key]
        gathering.closed.set()

    async def _run(self, gathering: Gathering, window: float, timeout: float) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(window):
                    await gathering.closed.wait()
            self._close(gathering)
            await self._serve(gathering.seats, monotonic() + timeout)
        except Exception as error:
            log.error("an unexpected error", exc_info=error)
            for seat in gathering.seats:
                seat.fail(error)
        finally:
            self._close(gathering)
            for seat in gathering.seats:
                # Nobody is left waiting, where the worker ends.
                seat.answer.cancel()

    async def _serve(self, seats: Sequence[Seat], until: float, *, split: bool = False) -> None:
        """Make one call for all that are still there. Where it is refused for what may be one of them, make one for
        each half, and so on: less than twice as many calls as there are callers."""
        if not (seats := [seat for seat in seats if not seat.answer.done()]):
            return
        exchange = Exchange()
        try:
            await self._ask(seats, exchange, until, split=split)
        except Refused as refused:
            for seat in seats:
                seat.fail(Refused(refused.wait))
        except ProviderError as error:
            if len(seats) == 1 or exchange.billable or not may_be_one(error):
                fail([seat for seat in seats if seat.sent is exchange] or seats, exchange, error)
                return
            log.info("a shared call was refused, and is split", callers=len(seats), error=str(error))
            half = len(seats) // 2
            await asyncio.gather(*(self._serve(part, until, split=True) for part in (seats[:half], seats[half:])))

    async def _ask(self, seats: Sequence[Seat], exchange: Exchange, until: float, *, split: bool) -> None:
        """Raises `ProviderError` and `Refused`, for all of them."""
        call = await self._entered(one_call(seats), until, wait=split)
        usage, began, took, failed = None, monotonic(), None, False
        model, provider = call.model, call.catalog.providers[call.model.provider]
        left = list[tuple[Seat, Embedding]]()
        try:
            async with self._breakers.guard(model.provider, provider.breaker, call.identity, call.lease):
                if not (seats := [seat for seat in seats if not seat.answer.done()]):
                    raise ProviderError("internal_error", "nobody waits for it any more")
                for seat in seats:
                    seat.sent = exchange
                embedding = await self._client.of(call.catalog).embed(
                    model,
                    one_call(seats).request,
                    timeout=max(0.001, round(until - monotonic(), 1)),
                    idempotency_key=key_of(seats),
                    exchange=exchange,
                )
            usage, took = embedding.usage, monotonic() - began
            shares = billed(seats, exchange, usage)
            for seat, part in zip(seats, embedding.parts([seat.inputs for seat in seats]), strict=True):
                own = replace(part, usage=shares[seat])
                if seat.answer.done():
                    left.append((seat, own))
                else:
                    seat.answer.set_result(own)
        except ProviderError as error:
            usage, failed = error.usage, error.retryable
            # No answer is as bad as one at the last moment.
            took = until - began if failed else None
            raise
        finally:
            await self._admission.leave(call, usage, took, failed=failed)
        await asyncio.gather(*(seat.late(own) for seat, own in left))

    async def _entered(self, call: Admitted, until: float, *, wait: bool) -> Admitted:
        """The call, counted once for all. Raises `Refused` where the limits leave no room; a part of one that was split
        is to `wait` instead, since who comes again may meet the bad one again."""
        turn, several = f"{self._turn}/{call.model.id}", len(call.model.deployments) > 1
        while True:
            call = replace(call, time=time())
            # Where there are others, it does not stand in the way of those who wait at this one.
            if (refusal := await self._admission.enter(call, turn, queue=not several)) is None:
                return call
            if not wait:
                raise Refused(refusal)
            if monotonic() + refusal.seconds > until:
                raise ProviderError("rate_limited", refusal.why, retryable=True, retry_after=refusal.seconds)
            await asyncio.sleep(refusal.seconds)


def _most(admitted: Admitted) -> MicroBatch:
    """The model's own bounds, and no more texts than its protocol takes at once."""
    most, embeds = admitted.model.micro_batch, admitted.catalog.protocol(admitted.model).embeds
    assert most is not None
    return most.model_copy(update={"max_inputs": min(most.max_inputs, embeds)})
