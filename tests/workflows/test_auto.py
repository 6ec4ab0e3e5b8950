"""A pattern that is composed when the run begins, by rules or by a model, and never without checks."""

import json
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.patterns import Auto, Call, Retry
from continuo.testing.processes import Control, begin, failure, job, outcome, replay

pytestmark = pytest.mark.usefixtures("worker")

MODELS = ("mini", "mid")
BY = Call(model="premium", retry=Retry(attempts=1))
RULES = Auto(wish="Answer FAQs", models=MODELS)
MODELLED = Auto(wish="Answer FAQs", by=BY, models=MODELS)
GOOD = "```yaml\ndescription: Mine.\npattern: {kind: fallback, steps: [{kind: call, model: sim-mini}]}\n```"
CODE = "description: Mine.\npattern: {kind: python, function: 'own_code:greet'}"


async def test_rules_compose_from_the_wish_and_the_outcome_says_what_and_why(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mid", text="here")
    # Nobody has asked it before, or the cache would answer.
    handle = await begin(client, job(RULES, f"{uuid4()}?"))
    end = await handle.result()
    assert end.text == "here"
    by, why, shape = end.reasons
    assert (by, shape) == ("composed by rules", "cached(call sim-mid)")
    assert why.startswith("cached: ")
    assert [call.path for call in end.calls] == ["composed.miss"]
    await replay(client, handle.id)


async def test_a_model_composes_is_told_its_mistake_once_and_is_in_the_account(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-premium", script=[{"text": CODE}, {"text": GOOD}])
    await simulator.behave("sim-mini", text="here")
    handle = await begin(client, job(MODELLED, "Where is my parcel?"))
    end = await handle.result()
    assert end.text == "here"
    assert [(call.path, call.model) for call in end.calls] == [
        ("compose", "sim-premium"), ("repair", "sim-premium"), ("composed.tier1", "sim-mini"),
    ]  # fmt: skip
    assert end.reasons[0].startswith("the model's pattern: kind 'python' cannot be composed; use call, ")
    assert end.reasons[1:] == ("composed by a model", "fallback(call sim-mini)")
    first, second = await simulator.calls("sim-premium")
    assert "sim-mid (5, 5)" in first["body"]["system"]
    assert "parcel" not in json.dumps([first["body"], second["body"]])
    assert "kind 'python' cannot be composed" in json.dumps(second["body"]["messages"][-1])
    await replay(client, handle.id)


async def test_where_the_model_fails_or_writes_nothing_of_use_the_rules_compose(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-premium", text="Sorry, no.")
    end = await outcome(client, job(MODELLED))
    assert len(await simulator.calls("sim-premium")) == 2
    assert "composed by rules" in end.reasons
    await simulator.behave("sim-premium", status=400)
    end = await outcome(client, job(MODELLED))
    assert end.reasons[0].startswith("the model's pattern: invalid_request")
    assert end.reasons[1] == "composed by rules"


async def test_nothing_runs_that_would_cost_more_than_the_limit(client: Client, simulator: Control) -> None:
    end = await failure(client, job(MODELLED.model_copy(update={"limits": {"cost_usd": 1e-6}})))
    assert end.type == "AutoFailed"
    assert "at worst, more than the limit of $1e-06" in end.message
    assert {call["model"] for call in await simulator.calls()} <= {"sim-premium"}
