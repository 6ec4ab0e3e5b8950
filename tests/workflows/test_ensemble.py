import time

import pytest
from temporalio.client import Client

from continuo.patterns import Call, Ensemble, Retry, Step, Template
from continuo.patterns.choices import Average, Combine, Majority, Meta, UnanimousOrWeighted, WeightedVote
from continuo.testing.processes import Control, begin, failure, job, outcome, until

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)
MODELS = ("premium", "mid", "mini")


def three(combine: Combine, otherwise: Step | None = None, *, inline: bool = False) -> Ensemble:
    members = tuple(Call(model=model, retry=ONCE) for model in MODELS)
    return Ensemble(members=members, combine=combine, otherwise=otherwise, inline=inline)


async def answers(simulator: Control, *texts: str, confidences: tuple[float, ...] = (0.9, 0.8, 0.7)) -> None:
    for model, text, confidence in zip(MODELS, texts, confidences, strict=True):
        await simulator.behave(f"sim-{model}", text=text, confidence=confidence)


@pytest.mark.parametrize("inline", [False, True], ids=["children", "inline"])
async def test_members_that_agree_are_unanimous_with_their_mean_confidence(
    client: Client, simulator: Control, inline: bool
) -> None:
    await answers(simulator, "Spam", "spam ", "SPAM")
    found = await outcome(client, job(three(UnanimousOrWeighted(), inline=inline)))
    assert (found.consensus, found.text, found.alternatives) == ("unanimous", "Spam", ())
    assert found.confidence == pytest.approx(0.8)
    assert sorted(call.path for call in found.calls) == ["member1", "member2", "member3"]


async def test_members_that_differ_leave_it_to_the_most_confident(client: Client, simulator: Control) -> None:
    await answers(simulator, "spam", "ham", "spam", confidences=(0.6, 0.9, 0.7))
    found = await outcome(client, job(three(UnanimousOrWeighted())))
    assert (found.consensus, found.text, found.model) == ("weighted", "ham", "sim-mid")
    assert [(one.member, one.text, one.model) for one in found.alternatives] == [
        ("member1", "spam", "sim-premium"),
        ("member3", "spam", "sim-mini"),
    ]


async def test_a_member_that_fails_makes_the_decision_partial(client: Client, simulator: Control) -> None:
    await answers(simulator, "spam", "spam", "spam")
    await simulator.behave("sim-mid", status=400, error_message="nonsense")
    found = await outcome(client, job(three(UnanimousOrWeighted())))
    assert (found.consensus, found.partial, found.missing) == ("unanimous", True, ("member2",))
    assert found.reasons == ("member2: invalid_request: sim-openai: 400 nonsense",)


async def test_a_quorum_decides_within_a_second_of_its_last_vote_and_cancels_the_rest(
    client: Client, simulator: Control
) -> None:
    await answers(simulator, "spam", "spam", "ham")
    await simulator.behave("sim-mini", text="ham", latency=10)
    began = time.time()
    found = await outcome(client, job(three(Majority(quorum=2))))
    assert (found.consensus, found.text, found.partial) == ("majority", "spam", False)
    assert {call.path: call.status for call in found.calls}["member3"] == "cancelled"

    async def aborted() -> bool:
        return [call["disconnected"] for call in await simulator.calls("sim-mini")] == [True]

    await until(aborted, timeout=5)
    voted = max(call["time"] for call in await simulator.calls() if call["answered"])
    assert found.latency_ms is not None
    # The bound is the promise itself, ten times what it takes here.
    assert began + found.latency_ms / 1000 < voted + 1


async def test_a_majority_is_more_than_half_unless_a_quorum_is_named(client: Client, simulator: Control) -> None:
    await answers(simulator, "spam", "ham", "Ham")
    found = await outcome(client, job(three(Majority())))
    assert (found.text.casefold(), found.consensus) == ("ham", "majority")


async def test_a_quorum_out_of_reach_ends_it_early_and_asks_otherwise(client: Client, simulator: Control) -> None:
    await answers(simulator, "spam", "ham", "eggs")
    await simulator.behave("sim-mini", text="eggs", latency=60)
    found = await outcome(client, job(three(Majority(quorum=3), Template(text="a person decides"))))
    assert (found.text, found.served_by, found.fallback) == ("a person decides", "template", True)
    assert sorted(found.reasons) == ["member1: spam", "member2: ham"]


async def test_no_quorum_and_nothing_otherwise_is_an_error_with_every_vote(client: Client, simulator: Control) -> None:
    await answers(simulator, "spam", "ham", "eggs")
    found = await failure(client, job(three(Majority(quorum=2))))
    assert found.type == "NoConsensus"
    assert sorted(found.causes) == ["member1: spam", "member2: ham", "member3: eggs"]
    assert len(found.calls) == 3


async def test_all_members_failing_is_an_error_with_every_cause(client: Client, simulator: Control) -> None:
    for model in MODELS:
        await simulator.behave(f"sim-{model}", status=400)
    found = await failure(client, job(three(UnanimousOrWeighted())))
    assert found.type == "NoConsensus"
    assert [cause.split(": ")[1] for cause in found.causes] == ["invalid_request"] * 3


async def test_votes_are_weighed_by_member_and_confidence(client: Client, simulator: Control) -> None:
    await answers(simulator, "spam", "ham", "ham", confidences=(0.9, 0.5, 0.3))
    assert (await outcome(client, job(three(WeightedVote())))).text == "spam"
    found = await outcome(client, job(three(WeightedVote(weights=(1, 1, 2)))))
    assert (found.text, found.consensus) == ("ham", "weighted")


async def test_numbers_are_averaged(client: Client, simulator: Control) -> None:
    for model, text in zip(MODELS, ("1", "2.5", "4"), strict=True):
        await simulator.behave(f"sim-{model}", text=text)
    found = await outcome(client, job(three(Average())))
    assert (found.text, found.consensus, len(found.alternatives)) == ("2.5", "average", 3)
    assert (found.partial, found.missing) == (False, ())


async def test_a_member_without_a_number_is_missing_from_the_average(client: Client, simulator: Control) -> None:
    for model, text in zip(MODELS, ("2", "I cannot say.", "3"), strict=True):
        await simulator.behave(f"sim-{model}", text=text)
    found = await outcome(client, job(three(Average())))
    assert (found.text, found.partial, found.missing) == ("2.5", True, ("member2",))
    assert found.reasons == ("member2: no number in 'I cannot say.'",)


async def test_answers_are_compared_by_a_field_of_their_json(client: Client, simulator: Control) -> None:
    texts = ('{"verdict": "Block", "why": "a"}', '{"verdict": "block", "why": "b"}', '{"verdict": "allow"}')
    await answers(simulator, *texts)
    found = await outcome(client, job(three(Majority(quorum=2, field="verdict"))))
    assert found.text in texts[:2]


async def test_a_model_writes_the_answer_from_the_members(client: Client, simulator: Control) -> None:
    for model in MODELS:
        await simulator.behave(f"sim-{model}", text=f"said {model}")
    await simulator.behave("sim-free", text="the best of three")
    found = await outcome(client, job(three(Meta(step=Call(model="sim-free"))), "Which?"))
    assert (found.text, found.consensus, len(found.alternatives)) == ("the best of three", "meta", 3)
    [call] = await simulator.calls("sim-free")
    asked = call["body"]["messages"][-1]["content"]
    assert all(text in asked for text in ("Which?", "said premium", "said mid", "said mini"))


async def test_cancelling_the_run_cancels_every_member(client: Client, simulator: Control) -> None:
    for model in MODELS:
        await simulator.behave(f"sim-{model}", latency=60)
    handle = await begin(client, job(three(Majority())))

    async def asked() -> bool:
        return len(await simulator.calls()) == 3

    await until(asked)
    await handle.cancel()

    async def aborted() -> bool:
        return [call["disconnected"] for call in await simulator.calls()] == [True] * 3

    await until(aborted, timeout=10)
