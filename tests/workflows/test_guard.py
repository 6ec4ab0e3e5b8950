"""A guard checks what its step answers, asks again, redacts, answers otherwise or rejects, and says so."""

import json

import pytest
from temporalio.client import Client

from continuo.decided import Decision
from continuo.patterns import Agent, Call, Fallback, Guard, Retry, Template
from continuo.testing.processes import Control, failure, job, outcome
from continuo.wire.errors import status_of

pytestmark = pytest.mark.usefixtures("worker")

LEAK = "eve@evil.test"
ANSWER = f"Write to {LEAK}, please."
MAILS = {"personal": ["EMAIL"]}
MINI = Call(model="mini", retry=Retry(attempts=1))


async def test_an_answer_that_passes_is_the_answer_and_says_what_was_checked(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="Here it is.")
    end = await outcome(client, job(Guard(MINI, checks={**MAILS, "links": []}, retries=3)))
    assert (end.text, end.fallback, end.reasons) == ("Here it is.", False, ())
    assert end.guarded == (Decision(stage="personal", action="passed"), Decision(stage="links", action="passed"))
    assert [call.path for call in end.calls] == ["step"]


async def test_an_answer_that_fails_is_rejected_and_never_quoted(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", text=ANSWER)
    end = await failure(client, job(Guard(MINI, checks=MAILS)))
    assert end.type == "GuardFailed"
    assert end.message.startswith("personal: the answer holds personal data that was not in the request (EMAIL)")
    assert end.guarded == (Decision(stage="personal", action="rejected", findings={"EMAIL": 1}),)
    assert [call.status for call in end.calls] == ["ok"]
    assert LEAK not in end.to_json()
    assert status_of(end).status == 422


async def test_what_was_in_the_request_is_no_leak(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", text=ANSWER)
    assert (await outcome(client, job(Guard(MINI, checks=MAILS), f"I am {LEAK}."))).text == ANSWER


async def test_a_retry_tells_why_and_never_what(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", text=ANSWER)
    step = Guard(
        MINI,
        checks={**MAILS, "length": {"max": 10}},
        retries=2,
        on_failure="otherwise",
        otherwise=Template(text="Sorry."),
    )
    end = await outcome(client, job(step))
    assert (end.text, end.served_by, end.fallback) == ("Sorry.", "template", True)
    assert [call.path for call in end.calls] == ["step", "step1", "step2"]
    assert [decision.action for decision in end.guarded] == ["retried"] * 4 + ["rejected"] * 2
    assert len(end.reasons) == 6
    first, *others = [json.dumps(call["body"]) for call in await simulator.calls()]
    assert "earlier answer" not in first
    for body in others:
        assert "Where is my order?\\n\\n(An earlier answer could not be used: it holds personal data" in body
        assert "it has 31 characters, more than 10" in body
        assert LEAK not in body


async def test_a_guard_that_rejects_is_a_tier_that_failed(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="Much longer than it may be.")
    await simulator.behave("sim-mid", text="Short.")
    inner = Guard(MINI, checks={"length": {"max": 10}}, retries=1)
    end = await outcome(client, job(Fallback(steps=(inner, Call(model="mid")))))
    assert (end.text, end.tier) == ("Short.", 2)
    assert "GuardFailed" in end.reasons[0]


async def test_what_is_wrong_is_blotted_out(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", text=f"{ANSWER} Darn it: https://evil.test/x", thought=f"I know {LEAK}.")
    checks = {**MAILS, "blocked": ["darn"], "links": ["example.org"], "secrets": True}
    end = await outcome(client, job(Guard(MINI, checks=checks, on_failure="redact")))
    assert end.text == "Write to ███, please. ███ it: ███"
    assert LEAK not in end.to_json()
    assert {decision.stage: decision.action for decision in end.guarded} == {
        "secrets": "passed", "personal": "redacted", "blocked": "redacted", "links": "redacted"
    }  # fmt: skip
    assert end.cost_usd is not None
    assert [call.path for call in end.calls] == ["step"]
    assert "guard: personal redacted" in [checkpoint.name for checkpoint in end.checkpoints]


async def test_the_instructions_of_a_step_below_are_not_repeated(client: Client, simulator: Control) -> None:
    rules = "You are the clerk of Acme and never say that refunds above fifty dollars take the signature of Ada."
    await simulator.behave("sim-mini", text=f"My rules are these: {rules}")
    step = Guard(MINI.model_copy(update={"system": rules}), checks={"system_prompt": True}, on_failure="redact")
    assert (await outcome(client, job(step))).text == "My rules are these: ███."


@pytest.mark.parametrize("shown", [True, False])
async def test_a_moderator_has_the_last_word(client: Client, simulator: Control, shown: bool) -> None:
    await simulator.behave("sim-mini", text="Here.")
    await simulator.behave("sim-mid", text=json.dumps({"valid": shown, "reason": "so"}))
    step = Guard(MINI, moderator=Call(model="mid"), on_failure="otherwise", otherwise=Template(text="Sorry."))
    end = await outcome(client, job(step))
    assert end.text == ("Here." if shown else "Sorry.")
    assert [(one.stage, one.action) for one in end.guarded] == [("moderator", "passed" if shown else "rejected")]
    (call,) = await simulator.calls("sim-mid")
    assert "Here." in json.dumps(call["body"])
    assert "Where is my order?" not in json.dumps(call["body"])


async def test_without_a_verdict_nobody_has_the_answer(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", text="I cannot say.")
    end = await failure(client, job(Guard(MINI, moderator=Call(model="mid"))))
    assert (end.type, end.message) == ("GuardFailed", "the moderator said neither valid nor invalid")


async def test_an_agent_and_a_child_are_guarded_as_any_step(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", text=ANSWER)
    agent = Guard(Agent(model=MINI), checks=MAILS, on_failure="redact", isolate=True)
    end = await outcome(client, job(Fallback(steps=(agent,))))
    assert end.text == "Write to ███, please."
    assert [decision.action for decision in end.guarded] == ["redacted"]


async def test_an_answer_that_cannot_be_checked_is_not_had(
    client: Client, simulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **fields: object) -> None:
        raise RuntimeError(ANSWER)

    monkeypatch.setattr("continuo.activities.checking.checked", broken)
    end = await failure(client, job(Guard(MINI, checks=MAILS)))
    assert (end.type, end.message) == ("GuardFailed", "the answer cannot be checked: unexpected RuntimeError")
