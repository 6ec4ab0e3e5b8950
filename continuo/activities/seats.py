"""Who shares a call that embeds: what they ask together, and what each gets of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from continuo.activities.admission import Admitted
from continuo.config.catalog import MicroBatch
from continuo.decisions.micro_batches import bills
from continuo.errors import ProviderError
from continuo.messages import Usage
from continuo.protection.reservation import read_tokens
from continuo.providers.embeddings import Embedding
from continuo.providers.exchange import Exchange

Late = Callable[[Embedding], Awaitable[None]]


class Seat:
    """One caller's place in a call. `own` is the caller's exchange, `sent` the one of the call once it is made, and
    `late` takes the answer of a caller that has left."""

    def __init__(self, admitted: Admitted, own: Exchange, late: Late) -> None:
        self.admitted = admitted
        self.own = own
        self.late = late
        self.sent: Exchange | None = None
        self.answer: asyncio.Future[Embedding] = asyncio.get_running_loop().create_future()
        self.inputs, self.tokens = len(admitted.request.messages), read_tokens(admitted.request)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(eq=False)
class Gathering:
    """What will be one call of those with the same `key`, of so many `inputs` and `tokens`; `closed` once nobody may
    join it any more."""

    key: object
    seats: list[Seat] = field(default_factory=list)
    inputs: int = 0
    tokens: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def has_room(self, seat: Seat, most: MicroBatch) -> bool:
        return self.inputs + seat.inputs <= most.max_inputs and self.tokens + seat.tokens <= most.max_tokens

    def add(self, seat: Seat) -> None:
        self.seats.append(seat)
        self.inputs += seat.inputs
        self.tokens += seat.tokens


def one_call(seats: Sequence[Seat]) -> Admitted:
    """All of them, as the one call that limits and breaker know of."""
    # The attempts after one whose worker was killed take its place over, if they come together again.
    first = min((seat.admitted for seat in seats), key=lambda one: (-one.attempt, one.identity))
    turns = tuple(turn for seat in seats for turn in seat.admitted.request.messages)
    request = first.request.model_copy(update={"messages": turns})
    return replace(first, request=request, tokens=sum(seat.tokens for seat in seats))


def key_of(seats: Sequence[Seat]) -> str:
    """The key of a call, which another with other callers, or another attempt of one of them, must not have."""
    attempts = (f"{seat.admitted.identity}#{seat.admitted.attempt}" for seat in seats)
    return sha256("\n".join(sorted(attempts)).encode()).hexdigest()


def fail(seats: Sequence[Seat], exchange: Exchange, error: ProviderError) -> None:
    """Give each an error of its own, with its share of what was counted all the same."""
    for seat, usage in billed(seats, exchange, error.usage).items():
        same = ProviderError(error.kind, str(error), status=error.status, retryable=error.retryable, usage=usage)
        same.retry_after, same.__cause__ = error.retry_after, error
        seat.fail(same)


def billed(seats: Sequence[Seat], exchange: Exchange, usage: Usage | None) -> dict[Seat, Usage | None]:
    """Each one's share of the usage. Its share of the cost is told to its exchange."""
    shares = bills(usage, seats[0].admitted.model.price, [seat.tokens for seat in seats])
    for seat, (_, cost) in zip(seats, shares, strict=True):
        seat.own.billable, seat.own.cost_usd = exchange.billable, cost
    return {seat: own for seat, (own, _) in zip(seats, shares, strict=True)}
