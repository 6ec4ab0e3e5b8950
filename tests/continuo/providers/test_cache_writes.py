"""What a provider writes into its cache of prompts is marked where a step says so, counted, and priced."""

from datetime import date

import pytest

from continuo.config.catalog import Model, Price
from continuo.decisions.settled import settled
from continuo.messages import Message, ModelRequest, Usage, plausible
from continuo.patterns import Call
from continuo.protection.reservation import capped, most_usd
from continuo.providers.anthropic import Anthropic

PRICE = Price(input=4, cached=0.4, output=20, source="here", date=date(2026, 11, 1))
REQUEST = ModelRequest(messages=(Message(role="user", content="Hi"),), max_tokens=10)
COUNTED = {
    "input_tokens": 500,
    "cache_read_input_tokens": 200,
    "cache_creation_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 10,
}


def test_anthropic_is_told_to_keep_what_a_step_says_unless_the_request_says_other() -> None:
    step = Call(model="claude", cache_control="1h")
    body = Anthropic().encode("http://here", "claude", settled(step, REQUEST), stream=False).body
    assert body["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    own = REQUEST.model_copy(update={"cache_control": "5m"})
    assert settled(step, own).cache_control == "5m"


def test_what_was_written_is_counted_apart_and_costs_more() -> None:
    answer = {"content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn", "usage": COUNTED}
    usage = Anthropic().decode(answer).usage
    assert usage == Usage(
        input_tokens=1000, output_tokens=10, cached_tokens=200, written_tokens=300, written_1h_tokens=100
    )
    assert PRICE.cost(usage) == pytest.approx((500 * 4 + 200 * 0.4 + 200 * 5 + 100 * 8 + 10 * 20) / 1e6)
    own = PRICE.model_copy(update={"written": 6.0, "written_1h": 7.0})
    assert own.cost(usage) == pytest.approx((500 * 4 + 200 * 0.4 + 200 * 6 + 100 * 7 + 10 * 20) / 1e6)
    assert (usage + usage).written_tokens == 600


def test_without_the_breakdown_it_was_written_for_five_minutes() -> None:
    counted = {name: count for name, count in COUNTED.items() if name != "cache_creation"}
    answer = {"content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn", "usage": counted}
    usage = Anthropic().decode(answer).usage
    assert usage is not None
    assert (usage.written_tokens, usage.written_1h_tokens) == (300, 0)


def test_more_written_than_read_is_no_count() -> None:
    assert plausible(Usage(input_tokens=10, cached_tokens=5, written_tokens=6)) is None
    assert plausible(Usage(input_tokens=10, written_tokens=6, written_1h_tokens=7)) is None
    assert plausible(Usage(input_tokens=10, cached_tokens=4, written_tokens=6)) is not None


def test_what_is_reserved_is_enough_for_writing() -> None:
    model = Model(id="claude", name="claude", provider="anthropic", price=PRICE)
    plain, kept = REQUEST, REQUEST.model_copy(update={"cache_control": "1h"})
    read = most_usd(model, capped(plain)) - 10 * 20 / 1e6
    assert most_usd(model, capped(kept)) - 10 * 20 / 1e6 > 2 * read


def test_a_usage_without_writes_is_written_as_ever() -> None:
    assert set(Usage(input_tokens=1).model_dump()) == {"input_tokens", "output_tokens", "cached_tokens", "estimated"}
