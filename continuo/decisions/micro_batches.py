"""Which embedding requests may share a call, and what each one's share of it is."""

from collections.abc import Sequence

from continuo.config.catalog import Price
from continuo.errors import ProviderError
from continuo.messages import ModelRequest, Usage
from continuo.money import NANO


def alike(request: ModelRequest) -> str:
    """The same for requests that differ in their texts alone, and in what is not sent for an embedding."""
    return request.model_copy(update={"messages": (), "max_tokens": None}).model_dump_json(exclude_defaults=True)


def may_be_one(error: ProviderError) -> bool:
    """Whether a call may have been refused for one of its texts. Key, address and money are the same for all."""
    return error.kind == "invalid_request" and error.status != 402


def bills(usage: Usage | None, price: Price | None, weights: Sequence[int]) -> list[tuple[Usage | None, float | None]]:
    """Each one's share of the tokens read and, in USD and to the nano-dollar, of what they cost, by its weight.

    None of the one or the other where there is no usage, or no price.
    """
    if usage is None:
        return [(None, None)] * len(weights)
    tokens = [usage.model_copy(update={"input_tokens": share}) for share in shares(usage.input_tokens, weights)]
    if price is None:
        return [(own, None) for own in tokens]
    costs = shares(round(price.cost(usage) * NANO), weights)
    return [(own, cost / NANO) for own, cost in zip(tokens, costs, strict=True)]


def shares(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """`total` in proportion to the weights, by largest remainder: the sum is exact, and each within one of its part.

    Of equal remainders the first ones are rounded up. Where no weight is above 0 all are the same.
    """
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: -(total * weights[at] % whole))
    for at in by_remainder[: total - sum(parts)]:
        parts[at] += 1
    return tuple(parts)
