import pytest
from temporalio.client import Client

from continuo.patterns import Call, Fallback, Retry, Step, Template
from continuo.testing.processes import Control, begin, failure, job, outcome, until, until_cancelled

pytestmark = pytest.mark.usefixtures("worker")
QUICK = Retry(attempts=2, initial=0.05)


def tiers(*models: str, last: tuple[Step, ...] = ()) -> Fallback:
    return Fallback(steps=(*(Call(model=model, retry=QUICK) for model in models), *last))


async def test_the_first_tier_that_answers_wins(client: Client, simulator: Control) -> None:
    found = await outcome(client, job(tiers("premium", "mid")))
    assert (found.tier, found.model, found.reasons) == (1, "sim-premium", ())
    assert len(await simulator.calls()) == 1


async def test_a_tier_gives_way_after_its_retries_and_the_outcome_says_why(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=503, error_message="down")
    await simulator.behave("sim-mid", tokens={"input": 100, "output": 100})
    found = await outcome(client, job(tiers("premium", "mid", "mini")))
    assert (found.tier, found.model) == (2, "sim-mid")
    assert found.reasons == ("tier 1: server_error: sim-anthropic: 503 down",)
    assert [call["model"] for call in await simulator.calls()] == ["sim-premium", "sim-premium", "sim-mid"]
    assert [(call.path, call.status, call.attempts) for call in found.calls] == [
        ("tier1", "failed", 2),
        ("tier2", "ok", 1),
    ]
    assert found.cost_usd == pytest.approx(0.001)


async def test_all_tiers_down_is_one_error_that_names_each_cause(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=503, error_message="on fire")
    await simulator.behave("sim-mid", status=400, error_message="nonsense")
    await simulator.behave("sim-mini", fault="refusal")
    found = await failure(client, job(tiers("premium", "mid", "mini")))
    assert found.type == "FallbackExhausted"
    assert [cause.split(": ")[1] for cause in found.causes] == ["server_error", "invalid_request", "refused"]
    assert all(word in found.message for word in ("on fire", "nonsense", "refused"))
    assert [call.status for call in found.calls] == ["failed"] * 3


async def test_the_last_tier_can_be_a_fixed_text_marked_as_a_fallback(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=401)
    found = await outcome(client, job(tiers("premium", last=(Template(text="Come back later."),))))
    assert (found.text, found.served_by, found.fallback, found.tier) == ("Come back later.", "template", True, 2)
    assert not found.simulated


async def test_cancelling_does_not_call_the_next_tier(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", latency=60)
    handle = await begin(client, job(tiers("premium", "mid")))
    await until(simulator.calls)
    await until_cancelled(handle)
    assert [call["model"] for call in await simulator.calls()] == ["sim-premium"]


async def test_an_isolated_tier_is_a_child_workflow_named_after_its_pattern(client: Client, simulator: Control) -> None:
    inner = Fallback(steps=(Call(model="mid", isolate=True),), isolate=True)
    found = await outcome(client, job(Fallback(steps=(inner,))))
    assert found.text.startswith("[simulated sim-mid]")
    assert found.calls[0].path == "tier1.tier1"

    async def listed() -> bool:
        query = f"WorkflowId STARTS_WITH '{found.workflow_id.split('.')[0]}'" if found.workflow_id else ""
        return {run.workflow_type async for run in client.list_workflows(query)} == {"Fallback", "Call"}

    await until(listed)
