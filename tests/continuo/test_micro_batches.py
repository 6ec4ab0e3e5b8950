"""Which embeddings may share a call, and how its bill is shared."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from continuo.config.catalog import Price
from continuo.decisions.micro_batches import alike, bills, may_be_one, shares
from continuo.errors import ProviderError
from continuo.messages import ModelRequest, Usage
from continuo.money import NANO
from continuo.providers.embeddings import embedding

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=50)
amounts = st.integers(0, 10**12)


@given(amounts, weights)
def test_shares_are_all_of_it_and_each_within_one_of_its_part(total: int, weights: list[int]) -> None:
    found = shares(total, weights)
    assert sum(found) == total
    if whole := sum(weights):
        assert all(abs(share * whole - total * weight) < whole for share, weight in zip(found, weights, strict=True))
    else:
        assert max(found) - min(found) <= 1


@given(amounts, weights)
def test_who_weighs_more_never_gets_less(total: int, weights: list[int]) -> None:
    ranked = sorted(zip(weights, shares(total, weights), strict=True))
    assert all(light <= heavy for (less, light), (more, heavy) in pairwise(ranked) if less < more)


@given(amounts, weights, st.floats(0, 1000))
def test_what_callers_pay_is_the_providers_bill_to_the_nano_dollar(tokens: int, weights: list[int], usd: float) -> None:
    price = Price(input=usd, output=0.0, source="s", date=date(2026, 11, 21))
    usage = Usage(input_tokens=tokens, estimated=True)
    # Of more than a float of USD can tell to the nano-dollar.
    assume(price.cost(usage) < 100_000)
    found = bills(usage, price, weights)
    assert sum(own.input_tokens for own, _ in found if own) == tokens
    assert all(own and own.estimated for own, _ in found)
    assert sum(round((cost or 0) * NANO) for _, cost in found) == round(price.cost(usage) * NANO)


def test_what_nobody_has_counted_or_no_price_tells_is_unknown_to_each() -> None:
    price = Price(input=1.0, output=0.0, source="s", date=date(2026, 11, 21))
    assert bills(None, price, [1, 2]) == [(None, None)] * 2
    assert bills(Usage(input_tokens=3), None, [1, 2]) == [(Usage(input_tokens=1), None), (Usage(input_tokens=2), None)]


@pytest.mark.parametrize(
    "other",
    [{"dimensions": 8}, {"user": "ada"}, {"tokens": True}, {"extra": {"openai": {"x": 1}}}, {"system": "Be brief."}],
)
def test_requests_that_differ_in_more_than_their_texts_are_not_alike(other: dict[str, object]) -> None:
    def asked(text: str, **parameters: object) -> str:
        turn = {"role": "user", "content": text}
        return alike(ModelRequest.model_validate({"messages": [turn], "embed": True, **parameters}))

    assert asked("a") == asked("b")
    assert asked("a", max_tokens=5) == asked("a")
    assert asked("a", **other) == asked("b", **other)
    assert asked("a", **other) != asked("a")


@pytest.mark.parametrize(
    ("kind", "status", "one"),
    [
        ("invalid_request", 400, True),
        ("invalid_request", 413, True),
        ("invalid_request", None, True),
        ("invalid_request", 402, False),
        ("unauthorized", 401, False),
        ("not_found", 404, False),
        ("rate_limited", 429, False),
        ("timeout", None, False),
    ],
)
def test_only_what_may_be_the_fault_of_one_text_splits_a_call(kind: str, status: int | None, one: bool) -> None:
    assert may_be_one(ProviderError(kind, "x", status=status)) is one  # type: ignore[arg-type]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 4))
def test_each_gets_the_vectors_of_its_own_texts(counts: list[int], length: int) -> None:
    vectors = [[float(number)] * length for number in range(sum(counts))]
    at = 0
    for count, part in zip(counts, embedding(vectors, None).parts(counts), strict=True):
        assert part == embedding(vectors[at : at + count], None)
        at += count
