import pytest
from temporalio.client import Client

from continuo.patterns import Call, Cascade, Retry, Template
from continuo.testing.processes import Control, failure, job, outcome

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)


def tiers(*models: str, thresholds: tuple[float, ...] = (0.85, 0.8)) -> Cascade:
    return Cascade(steps=tuple(Call(model=model, retry=ONCE) for model in models), thresholds=thresholds)


async def asked(simulator: Control) -> list[str]:
    return [call["model"] for call in await simulator.calls()]


@pytest.mark.parametrize(("confidence", "tier"), [(0.86, 1), (0.85, 1), (0.84, 2)])
async def test_the_first_answer_at_or_over_its_threshold_wins(
    client: Client, simulator: Control, confidence: float, tier: int
) -> None:
    await simulator.behave("sim-mini", confidence=confidence, text="small")
    await simulator.behave("sim-mid", confidence=0.8, text="middling")
    found = await outcome(client, job(tiers("mini", "mid", "premium")))
    assert (found.tier, found.text) == (tier, "small" if tier == 1 else "middling")
    assert await asked(simulator) == ["sim-mini", "sim-mid"][:tier]


async def test_each_tier_has_its_own_threshold_and_the_last_needs_none(client: Client, simulator: Control) -> None:
    for model in ("sim-mini", "sim-mid", "sim-premium"):
        await simulator.behave(model, confidence=0.79, text=model, tokens={"input": 100, "output": 100})
    found = await outcome(client, job(tiers("mini", "mid", "premium")))
    assert (found.tier, found.text, found.fallback) == (3, "sim-premium", False)
    assert found.confidence == pytest.approx(0.79)
    assert found.reasons == (
        "tier 1: confidence 0.79 is under 0.85",
        "tier 2: confidence 0.79 is under 0.80",
    )
    assert [call.path for call in found.calls] == ["tier1", "tier2", "tier3"]
    assert found.cost_usd == pytest.approx(200 * (0.5 + 5 + 10) / 1e6)


async def test_an_answer_without_a_confidence_counts_as_half_sure(client: Client, simulator: Control) -> None:
    found = await outcome(client, job(tiers("premium", "mini", thresholds=(0.51,))))
    assert found.tier == 2
    found = await outcome(client, job(tiers("premium", "mini", thresholds=(0.5,))))
    assert found.tier == 1


async def test_a_tier_that_fails_escalates(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", status=400, error_message="nonsense")
    found = await outcome(client, job(tiers("mini", "premium")))
    assert found.tier == 2
    assert found.reasons == ("tier 1: invalid_request: sim-google: 400 nonsense",)


async def test_when_a_later_tier_fails_the_best_earlier_answer_is_returned_and_marked(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mini", confidence=0.7, text="the better one")
    await simulator.behave("sim-mid", confidence=0.6, text="the worse one")
    await simulator.behave("sim-premium", status=503)
    found = await outcome(client, job(tiers("mini", "mid", "premium")))
    assert (found.text, found.tier, found.fallback, found.confidence) == ("the better one", 1, True, 0.7)
    assert len(found.reasons) == 3
    assert [call.status for call in found.calls] == ["ok", "ok", "failed"]


async def test_when_every_tier_fails_the_error_names_each_cause(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", status=400)
    await simulator.behave("sim-mid", status=503)
    found = await failure(client, job(tiers("mini", "mid")))
    assert found.type == "CascadeExhausted"
    assert [cause.split(": ")[1] for cause in found.causes] == ["invalid_request", "server_error"]
    assert [call.status for call in found.calls] == ["failed", "failed"]


async def test_the_models_are_asked_how_sure_they_are_and_the_answer_does_not_show_it(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-premium", confidence=0.95, text="Yes.")
    found = await outcome(client, job(Cascade(steps=(Call(model="premium"), Template(text="no")))))
    assert (found.text, found.confidence) == ("Yes.", 0.95)
    [call] = await simulator.calls()
    assert "CONFIDENCE" in call["body"]["system"]
