"""What a caller asks for reaches the models that take it, and is refused before a run where none could do it."""

import json
from typing import Any

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.door import Door, Request
from continuo.errors import InputError
from continuo.jobs import Context, Job, Outcome
from continuo.parameters import Parameters, Tool
from continuo.patterns import Cached, Call, Cascade, Fallback, Retry, Route, Step
from continuo.patterns.choices import Intent, Semantic
from continuo.testing.processes import Control, begin, failure, job, outcome

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)
TOOLS = (Tool(name="weather"),)


async def answer(client: Client, step: Step, **parameters: Any) -> Outcome:
    request = Request(pattern=step, prompt="Hello", parameters=Parameters.model_validate(parameters))
    run = await Door(client, Library()).submit(request, Context(tenant="acme"))
    found = await run.result()
    assert isinstance(found, Outcome), found
    return found


def asking(step: Step, **parameters: Any) -> Job:
    """A job that has not come through the door."""
    plain = job(step)
    return plain.model_copy(update={"request": plain.request.model_copy(update=parameters)})


async def body(simulator: Control, model: str) -> dict[str, Any]:
    [call] = await simulator.calls(model)
    found: dict[str, Any] = call["body"]
    return found


async def test_a_caller_s_parameters_win_over_the_step_s(client: Client, simulator: Control) -> None:
    step = Call(model="mid", top_p=0.5, seed=1, stop=("STEP",), reasoning_effort="low")
    await answer(client, step, seed=7, user="ada", extra={"openai": {"service_tier": "flex"}})
    sent = await body(simulator, "sim-mid")
    expected = {"top_p": 0.5, "seed": 7, "stop": ["STEP"], "reasoning_effort": "low", "user": "ada"}
    assert {**expected, "service_tier": "flex"}.items() <= sent.items()


async def test_the_tokens_of_an_answer_are_in_its_outcome_if_they_are_asked_for(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mid", text="Yes.", confidence=0.5)
    found = await answer(client, Call(model="mid"), logprobs=True, top_logprobs=1)
    assert "".join(token.text for token in found.logprobs) == "Yes.\nCONFIDENCE: 0.5"
    # A cascade wants to know how sure the model is, and nobody asked for its tokens.
    tiers = Cascade(steps=(Call(model="mid"), Call(model="mini")), thresholds=(0.1,))
    assert (await outcome(client, job(tiers))).logprobs == ()


async def test_a_demanded_call_is_made(client: Client, simulator: Control) -> None:
    found = await answer(client, Call(model="mid"), tools=[{"name": "weather"}], tool_choice="required")
    assert found.message
    assert [call.name for call in found.message.tool_calls] == ["weather"]
    assert found.finish_reason == "tool_calls"


async def test_what_tunes_an_answer_is_left_out_for_the_tier_that_refuses_it(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mid", outage=True)
    await simulator.behave("sim-premium", refuses=["temperature", "top_p"])
    step = Fallback(steps=(Call(model="mid", retry=ONCE), Call(model="premium", top_p=0.5, retry=ONCE)))
    found = await answer(client, step, temperature=0.2)
    assert (found.model, found.tier) == ("sim-premium", 2)
    assert (await body(simulator, "sim-mid"))["temperature"] == 0.2
    assert not {"temperature", "top_p"} & (await body(simulator, "sim-premium")).keys()


@pytest.mark.parametrize(
    ("step", "parameters", "told"),
    [
        (Call(model="premium"), {"temperature": 0.2}, "no model of the pattern takes temperature"),
        (Call(model="premium"), {"tool_choice": "required", "tools": TOOLS}, "'sim-premium' of the pattern takes no t"),
        (Fallback(steps=(Call(model="mid"), Call(model="premium"))), {"seed": 7}, "'sim-premium' of the pattern takes"),
        (Call(model="premium", seed=7), {}, "'sim-premium' of the pattern takes no seed"),
    ],
)
async def test_a_request_that_cannot_be_answered_is_refused_before_anything_runs(
    client: Client, simulator: Control, step: Step, parameters: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        await answer(client, step, **parameters)
    assert await simulator.calls() == []


async def test_a_job_that_came_in_another_way_fails_without_a_request(client: Client, simulator: Control) -> None:
    found = await failure(client, asking(Call(model="premium"), seed=7))
    assert (found.type, found.message) == ("invalid_request", "model sim-premium takes no seed")
    assert await simulator.calls() == []


async def test_a_cheaper_model_that_does_not_take_what_is_demanded_does_not_stand_in(client: Client) -> None:
    step = Call(model="sim-once")
    found = [
        (await answer(client, step)).model,
        (await answer(client, step)).model,
        (await answer(client, step, seed=7)).model,
        (await answer(client, Call(model="sim-once", seed=7))).model,
    ]
    assert found == ["sim-once", "sim-seedless", "sim-free", "sim-free"]


async def test_a_classifier_is_asked_for_a_word_whatever_is_demanded_of_the_answer(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="left")
    route = Route(by=Intent(step=Call(model="mini")), branches={"left": Call(model="mid")}, default="left")
    await answer(client, route, tools=[{"name": "weather"}], tool_choice="required", logprobs=True, seed=7)
    assert not {"tools", "toolConfig"} & (await body(simulator, "sim-mini")).keys()
    assert (await body(simulator, "sim-mini"))["generationConfig"] == {"seed": 7}
    assert (await body(simulator, "sim-mid"))["tool_choice"] == "required"


async def test_a_lookup_by_meaning_embeds_the_prompt_whatever_is_demanded_of_the_answer(
    client: Client, simulator: Control
) -> None:
    step = Cached(Call(model="mid"), semantic=Semantic(model="embed"))
    assert (await answer(client, step, logprobs=True, tools=[{"name": "weather"}])).served_by == "model"
    assert len(await simulator.calls("sim-embed")) == 1


async def test_requests_that_differ_in_a_parameter_share_no_answer_and_those_of_two_users_do(
    client: Client, simulator: Control
) -> None:
    step = Cached(Call(model="mid"))
    served = [
        (await answer(client, step, **parameters)).served_by
        for parameters in ({"seed": 41}, {"seed": 41, "user": "ada"}, {"seed": 42})
    ]
    assert served == ["model", "cache", "model"]


async def test_a_history_holds_no_more_than_what_is_set(client: Client, simulator: Control) -> None:
    handle = await begin(client, asking(Call(model="mid"), seed=7))
    await handle.result()
    started = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    request = json.loads(started.input.payloads[0].data)["request"]
    assert request["seed"] == 7
    assert not {"top_p", "tool_choice", "extra", "metadata"} & request.keys()
