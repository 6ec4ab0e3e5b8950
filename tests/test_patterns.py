"""The patterns that ship answer their sample inputs, each by the way that it promises."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.authoring.files import load_pattern
from continuo.config.defaults import DEFAULTS
from continuo.data import Data
from continuo.door.runs import result
from continuo.jobs import Outcome
from continuo.patterns import Call, Retry, Step
from continuo.patterns.walk import replaced
from continuo.testing.processes import Control, begin, job, outcome, until
from tests.support.repository import ROOT
from tests.workflows.test_review import decide, opened

pytestmark = pytest.mark.usefixtures("worker")

INPUTS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "inputs").glob("*.txt")}


def pattern(name: str) -> Step:
    """The named pattern, with no pause between attempts."""

    def hurried(spec: Data) -> Data:
        if not isinstance(spec, Call):
            return spec
        return spec.model_copy(update={"retry": Retry(attempts=spec.retry.attempts, initial=0.01)})

    return replaced(load_pattern(DEFAULTS / "patterns" / f"{name}.yaml").pattern, hurried)


async def asked(client: Client, name: str, prompt: str) -> Outcome:
    """The answer to a question that no other test has asked."""
    return await outcome(client, job(pattern(name), f"{prompt} ({uuid4()})"))


def test_every_case_study_has_a_sample_input() -> None:
    named = {path.stem for path in (DEFAULTS / "patterns").glob("*.yaml")}
    assert set(INPUTS) == named - {"answer", "describe", "help-desk", "help-pages", "meeting", "order", "support"}


@pytest.mark.parametrize("name", sorted(INPUTS.keys() - {"moderation"}))
async def test_a_sample_input_is_answered(client: Client, simulator: Control, name: str) -> None:
    found = await asked(client, name, INPUTS[name])
    assert found.text
    assert found.cost_usd is not None


async def test_support_answers_from_the_help_pages_at_no_cost(client: Client, simulator: Control) -> None:
    found = await outcome(client, job(pattern("customer-support"), INPUTS["customer-support"]))
    assert (found.served_by, found.cost_usd) == ("knowledge", 0)
    again = await outcome(client, job(pattern("customer-support"), INPUTS["customer-support"]))
    assert again.served_by == "cache"


@pytest.mark.parametrize(
    ("prompt", "model"),
    [
        ("What does the warranty say about zebras in orbit around Jupiter", "sim-mini"),
        ("Good morning", "sim-mini"),
        ("Why does the api give 42? Compare and explain.", "sim-premium"),
    ],
)
async def test_support_asks_as_good_a_model_as_the_question_needs(
    client: Client, simulator: Control, prompt: str, model: str
) -> None:
    assert (await asked(client, "customer-support", prompt)).model == model


async def test_support_ends_in_a_fixed_text_that_is_not_kept(client: Client, simulator: Control) -> None:
    for model in ("sim-premium", "sim-mid", "sim-mini"):
        await simulator.behave(model, status=503)
    prompt = f"Good morning {uuid4()}"
    found = await outcome(client, job(pattern("customer-support"), prompt))
    assert (found.served_by, found.fallback) == ("template", True)
    await simulator.delete("/_sim/models")
    assert (await outcome(client, job(pattern("customer-support"), prompt))).served_by == "model"


@pytest.mark.parametrize(
    ("verdicts", "text", "consensus"),
    [
        (("allow", "Allow", "block"), "allow", "majority"),
        (("block", "allow", "block"), "block", "majority"),
    ],
)
async def test_moderation_needs_two_of_three(
    client: Client, simulator: Control, verdicts: tuple[str, ...], text: str, consensus: str | None
) -> None:
    for model, verdict in zip(("sim-premium", "sim-mid", "sim-mini"), verdicts, strict=True):
        await simulator.behave(model, text=verdict, confidence=0.9)
    found = await asked(client, "moderation", INPUTS["moderation"])
    assert (found.text.casefold(), found.consensus) == (text, consensus)


async def test_what_moderators_disagree_on_is_decided_by_a_person(client: Client, simulator: Control) -> None:
    for model, verdict in {"sim-premium": "allow", "sim-mid": "block", "sim-mini": "perhaps"}.items():
        await simulator.behave(model, text=verdict)
    handle = await begin(client, job(pattern("moderation"), INPUTS["moderation"]))
    review = client.get_workflow_handle(f"{handle.id}.otherwise")
    case = await opened(review)
    assert case.text == INPUTS["moderation"]
    await decide(review, case, "respond", text="allow")
    found = await result(handle)
    assert isinstance(found, Outcome)
    assert (found.text, found.served_by) == ("allow", "human")
    assert sorted(found.reasons) == ["member1: allow", "member2: block", "member3: perhaps"]


async def test_short_or_simple_questions_about_code_stay_local(client: Client, simulator: Control) -> None:
    assert (await outcome(client, job(pattern("code-assistant"), "What is a tuple?"))).model == "sim-free"
    long = "Please say it again in other words, and be friendly about it, since I did not get it. " * 2
    assert (await asked(client, "code-assistant", long)).model == "sim-free"
    assert (await asked(client, "code-assistant", INPUTS["code-assistant"])).model == "sim-mini"


async def test_the_code_assistant_tries_the_paid_model_three_times(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-free", status=400)
    await simulator.behave("sim-mini", outage=2)
    found = await outcome(client, job(pattern("code-assistant"), f"What? {uuid4()}"))
    assert (found.model, found.tier) == ("sim-mini", 2)
    assert Counter(call["model"] for call in await simulator.calls())["sim-mini"] == 3


async def test_the_chatbot_has_the_small_model_in_reserve(client: Client, simulator: Control) -> None:
    assert (await asked(client, "chatbot", "Hello!")).model == "sim-mini"
    assert (await asked(client, "chatbot", INPUTS["chatbot"])).model == "sim-premium"
    await simulator.behave("sim-premium", status=503)
    assert (await asked(client, "chatbot", INPUTS["chatbot"])).model == "sim-mini"


async def test_the_fast_sibling_answers_at_once_when_the_strong_one_is_throttled(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-pro", status=429, retry_after=60)
    found = await asked(client, "pro-to-flash", INPUTS["pro-to-flash"])
    assert (found.model, found.tier) == ("sim-flash", 2)
    assert len(await simulator.calls()) == 2


async def test_of_more_questions_than_the_strong_model_takes_at_once_the_fast_sibling_answers_the_rest(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-pro", latency=60)
    question = job(pattern("pro-to-flash"), INPUTS["pro-to-flash"])
    handles = [await begin(client, question) for _ in range(8)]

    async def all_asked() -> bool:
        return len(await simulator.calls()) == 8

    await until(all_asked)
    found = Counter(call["model"] for call in await simulator.calls())
    for handle in handles:
        await handle.cancel()
    await asyncio.gather(*map(result, handles), return_exceptions=True)
    assert found == {"sim-pro": 5, "sim-flash": 3}


@pytest.mark.parametrize(
    ("prompt", "model"), [("Hello.", "sim-mini"), ("Explain.", "sim-mid"), ("Explain why? Compare sql.", "sim-premium")]
)
async def test_the_cost_optimised_pattern_asks_the_cheapest_model_that_will_do(
    client: Client, simulator: Control, prompt: str, model: str
) -> None:
    assert (await asked(client, "cost-optimised", prompt)).model == model


async def test_the_reliable_pattern_crosses_vendors_and_keeps_the_answer(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=503)
    prompt = f"Hello {uuid4()}"
    assert (await outcome(client, job(pattern("high-reliability"), prompt))).model == "sim-mid"
    assert (await outcome(client, job(pattern("high-reliability"), prompt))).served_by == "cache"


async def test_a_free_model_does_what_a_paid_one_has_planned(client: Client, simulator: Control) -> None:
    found = await asked(client, "plan-and-execute", INPUTS["plan-and-execute"])
    assert [call.model for call in found.calls] == ["sim-premium", "sim-free", "sim-free"]
    assert found.orchestration is not None
    assert found.orchestration.saved_usd


async def test_a_paid_model_writes_only_what_it_has_refused(client: Client, simulator: Control) -> None:
    found = await asked(client, "write-and-check", INPUTS["write-and-check"])
    assert [call.model for call in found.calls] == ["sim-free", "sim-premium"]
    await simulator.behave("sim-free", status=400)
    found = await asked(client, "write-and-check", INPUTS["write-and-check"])
    assert (found.model, found.calls[-1].path) == ("sim-premium", "validate2")
