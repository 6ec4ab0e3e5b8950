"""Several choices of one request: each is a run of its own, and they are followed as one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

from pydantic import JsonValue

from continuo.client.following import Following
from continuo.door import PlainRun, Run
from continuo.door.submit import Checked
from continuo.jobs import Failure, Outcome
from continuo.starters.gateway.cancelling import cancel
from continuo.wire.pieces import Broken, End, NextChoice, Piece


@dataclass(frozen=True)
class Choices:
    """The runs, in the order of the choices; the first one's ids stand for all."""

    runs: Sequence[Run | PlainRun]

    @property
    def id(self) -> str:
        return self.runs[0].id

    @property
    def run_id(self) -> str | None:
        return self.runs[0].run_id

    async def result(self) -> Outcome | Failure:
        """What they come to together."""
        return together(await asyncio.gather(*(run.result() for run in self.runs)))

    async def cancel(self) -> None:
        """Ask all to end that have not."""
        await asyncio.gather(*(cancel(run) for run in self.runs))


def choices(requests: Sequence[Checked], id: str, each: int) -> list[Checked]:
    """Of each request so many, one request's behind the other's; of one request each has a seed of its own."""
    seeded = (_seeded(request, number) for request in requests for number in range(each))
    return [request.known_as(choice_id(id, number)) for number, request in enumerate(seeded)]


def _seeded(checked: Checked, number: int) -> Checked:
    parameters, model_request = checked.request.parameters, checked.job.request
    if number and (seed := parameters.seed) is not None:
        # Within the bounds of a seed.
        update = {"seed": (seed + number) % 2**31}
        parameters, model_request = parameters.model_copy(update=update), model_request.model_copy(update=update)
    request = checked.request.model_copy(update={"parameters": parameters})
    job = checked.job.model_copy(update={"request": model_request})
    return replace(checked, request=request, job=job)


def choice_id(id: str, number: int) -> str:
    return f"{id}-{number}" if number else id


def together(results: Sequence[Outcome | Failure]) -> Outcome | Failure:
    """What the runs came to together: an answer, or why one of them has none."""
    outcomes = [result for result in results if isinstance(result, Outcome)]
    if len(outcomes) < len(results):
        return next(result for result in results if isinstance(result, Failure))
    return summed(outcomes)


def summed(outcomes: Sequence[Outcome]) -> Outcome:
    """The first answer with the account of all."""
    if len(outcomes) == 1:
        return outcomes[0]
    calls = tuple(call for outcome in outcomes for call in outcome.calls)
    used = [outcome.usage for outcome in outcomes if outcome.usage is not None]
    costs = [outcome.cost_usd for outcome in outcomes]
    saved = [outcome.saved_usd for outcome in outcomes if outcome.saved_usd is not None]
    update = {
        "calls": calls,
        "usage": reduce(add, used) if used else None,
        "cost_usd": None if None in costs else round(sum(cost or 0.0 for cost in costs), 9),
        "saved_usd": round(sum(saved), 9) if saved else None,
        "latency_ms": max(outcome.latency_ms or 0.0 for outcome in outcomes),
    }
    return outcomes[0].model_copy(update=update)


class FollowingChoices:
    """The answers of several runs while they come, one behind the other: so whoever comes back finds the same order."""

    def __init__(self, followings: Sequence[Following], results: Sequence["asyncio.Future[Outcome | Failure]"]) -> None:
        self._followings = followings
        self._results = results

    async def begin(self, patience: float) -> None:
        await self._followings[0].begin(patience)

    @property
    def begun(self) -> bool:
        return self._followings[0].begun

    async def pieces(self, account: Callable[[Outcome], Mapping[str, JsonValue]]) -> AsyncIterator[list[Piece]]:
        """As those of one. Before each choice but the first stands a `NextChoice`; the `End` is that of all."""
        for number, following in enumerate(self._followings, 1):
            async for batch in following.pieces(lambda outcome: {}):
                match batch:
                    case [*rest, End() as end] if number < len(self._followings):
                        yield [*rest, NextChoice(end)]
                    case [*rest, End() as end]:
                        whole = together([result.result() for result in self._results])
                        assert isinstance(whole, Outcome), "each of them has been followed to the end of its answer"
                        yield [*rest, replace(end, usage=whole.usage, account=account(whole))]
                    case [*_, Broken()]:
                        yield batch
                        return
                    case _:
                        yield batch

    def close(self) -> None:
        for following in self._followings:
            following.close()


Followed = Following | FollowingChoices
