"""What a run came to, for those who have its answer from the stream log: that is not held meanwhile."""

from typing import Protocol

from continuo.deltas import text_of
from continuo.jobs import Failure, Outcome
from continuo.wire.pieces import deltas

LARGE = 64 * 2**10
"""Characters of an answer that is not held."""


class Ended(Protocol):
    """A run, or what stands for one. What has ended tells its result as often as it is asked."""

    async def result(self) -> Outcome | Failure: ...


async def brief(run: Ended) -> Outcome | Failure:
    """The result, waited for; of a large answer all but what it says, see `in_full`."""
    result = await run.result()
    if isinstance(result, Failure) or sum(len(text_of(piece)) for piece in deltas(result)) < LARGE:
        return result
    return result.model_copy(update={"text": "", "message": None, "logprobs": ()})


async def in_full(run: Ended, result: Outcome | Failure) -> Outcome | Failure:
    """The whole of a result that was `brief`. Raises `RPCError` where it cannot be had again."""
    if isinstance(result, Failure) or result.text or result.message:
        return result
    return await run.result()
