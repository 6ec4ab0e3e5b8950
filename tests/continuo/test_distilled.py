"""What an example is made of, which part it belongs to, which are the same, and how it is written."""

import json
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.guardrails import KINDS, Policy
from continuo.jobs import Failure, Outcome
from continuo.messages import Message, ModelRequest, ToolCall
from continuo.operations.distilled import Card, example, part_of, unfit
from continuo.operations.runs import RunRow
from continuo.parts import File
from continuo.patterns import Agent, AgentTool, Call, Template
from continuo.patterns.guard import BY_MODEL
from continuo.testing.processes import job
from continuo.wire.training import TrainingForm, line

MID = Call(model="mid", system="Be brief.")
ANSWER = Outcome(text="Yes.", served_by="model")
TEXTS = st.text("abc äÄ\n", max_size=8)


def said(*texts: str) -> ModelRequest:
    """Turns of the user and the assistant, one after the other."""
    roles = [("user", "assistant")[number % 2] for number in range(len(texts))]
    return ModelRequest(messages=tuple(map(lambda role, text: Message(role=role, content=text), roles, texts)))


def test_an_example_is_the_instructions_the_turns_and_the_answer() -> None:
    made = example(job(MID, "Is it?"), ANSWER, ())
    assert (made.system, [turn.text for turn in made.messages]) == ("Be brief.", ["Is it?", "Yes."])
    assert line(made, "openai") == line(made, "chat")
    assert line(made, "openai") == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Is it?"},
            {"role": "assistant", "content": "Yes."},
        ]
    }
    assert line(made, "anthropic") == {
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Is it?"}, {"role": "assistant", "content": "Yes."}],
    }


def test_an_agents_example_has_its_tools_and_what_they_answered() -> None:
    step = Agent(model=Call(model="mid"), system="Look.", tools={"look": AgentTool(step=Template(text="Rain."))})
    call = Message(role="assistant", tool_calls=(ToolCall(id="1", name="look", arguments="{}"),))
    result = Message(role="tool", content="Rain.", tool_call_id="1")
    transcript = [Message(role="user", content="Is it dry?"), call, result, Message(role="assistant", content="No.")]
    made = example(job(step, "Is it dry?"), ANSWER, transcript)
    written = line(made, "openai")
    assert written is not None
    assert [one["role"] for one in written["messages"]] == ["system", "user", "assistant", "tool", "assistant"]
    assert written["messages"][2]["tool_calls"][0]["function"] == {"name": "look", "arguments": "{}"}
    assert written["tools"][0]["function"]["name"] == "look"
    # These have no place for calls.
    assert (line(made, "chat"), line(made, "anthropic")) == (None, None)


def test_anthropics_form_has_turns_that_alternate_and_begins_with_the_user() -> None:
    several = ModelRequest(messages=tuple(Message(role="user", content=text) for text in "ab"))
    answered = several.model_copy(update={"messages": (*several.messages, Message(role="assistant", content="c"))})
    written = line(answered, "anthropic")
    assert written == {"messages": [{"role": "user", "content": "a\n\nb"}, {"role": "assistant", "content": "c"}]}
    assert line(ModelRequest(messages=(Message(role="assistant", content="c"),)), "anthropic") is None


def test_no_form_has_a_place_for_media() -> None:
    file = File(sha256="0" * 64, size=9, media_type="text/plain")
    seen = ModelRequest(messages=(Message(role="user", content=(file,)), Message(role="assistant", content="Yes.")))
    assert {line(seen, form) is None for form in get_args(TrainingForm)} == {True}


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (Failure(type="server_error", message="down"), "failed"),
        (ANSWER.model_copy(update={"partial": True}), "a partial or fallback answer"),
        (ANSWER.model_copy(update={"fallback": True}), "a partial or fallback answer"),
        (ANSWER.model_copy(update={"text": ""}), "has no text"),
        (ANSWER.model_copy(update={"served_by": "template"}), "answered by a template"),
        (ANSWER, None),
    ],
)
def test_what_nothing_can_be_learnt_from_is_named(end: Outcome | Failure, why: str | None) -> None:
    assert unfit(job(MID), end) == why


@given(TEXTS, TEXTS, TEXTS, st.floats(0, 0.5))
def test_one_question_is_in_one_part_whatever_was_answered(ask: str, one: str, other: str, share: float) -> None:
    part = part_of(said(ask, one), share)
    assert part_of(said(f" {ask.upper()} ", other), share) == part
    assert part_of(said(ask, one), 0) == "train"


def test_the_parts_have_about_their_share() -> None:
    parts = [part_of(said(str(number), "x"), 0.2) for number in range(1000)]
    assert 150 < parts.count("validation") < 250


def test_calls_are_the_same_whatever_their_ids() -> None:
    def calling(id: str, arguments: str) -> ModelRequest:
        call = Message(role="assistant", tool_calls=(ToolCall(id=id, name="look", arguments=arguments),))
        return ModelRequest(messages=(Message(role="user", content="?"), call))

    card = Card()
    assert [card.is_new(calling(*one)) for one in (("1", "{}"), ("2", "{}"), ("3", "[]"))] == [True, False, True]


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
def test_the_first_of_those_that_say_the_same_is_new(pairs: list[tuple[str, str]]) -> None:
    card = Card()
    new = [pair for pair in pairs if card.is_new(said(*pair))]
    assert all(not card.is_new(said(ask.upper(), answer)) for ask, answer in pairs)
    assert len(new) <= len({*pairs})


def test_the_card_tells_what_was_left_out_what_was_replaced_and_what_is_to_be_checked() -> None:
    card = Card()
    time = datetime(2026, 11, 2, 9, tzinfo=UTC)
    row = RunRow(
        run_id="1",
        workflow_id="1",
        tenant="acme",
        pattern="answer",
        kind="call",
        status="done",
        started=time,
        model="m",
    )
    card.dropped["a duplicate"] = 1200
    end = ANSWER.model_copy(update={"provider": "openai", "simulated": True})
    card.keep(row, end, said("a" * 400, "b"), {"EMAIL": 3}, "train")
    card.keep(
        row.model_copy(update={"started": datetime(2026, 10, 2, 9, tzinfo=UTC)}), end, said("c", "d"), {}, "train"
    )
    text = card.markdown(time, {"pattern": "answer", "tenant": None})
    for told in (
        "| pattern | `answer` |",
        "| runs that were looked at | 1,202 |",
        "| runs of the examples began (UTC) | 2026-10-02 09:00 to 2026-11-02 09:00 |",
        "| examples in `train.jsonl` | 2 |",
        "| examples in `validation.jsonl` | 0 |",
        "| `m` of `openai` | 2 |",
        "| a duplicate | 1,200 |",
        "| EMAIL | 3 |",
        "The terms of the providers (`openai`) may forbid",
        "2 answers are simulated",
    ):
        assert told in text
    assert "tenant" not in text


def test_what_leaves_the_house_is_redacted_whatever_is_kept_raw() -> None:
    raw = Policy(personal="off", secrets="flag", kinds={"IP": "off", "PHONE": "reject", "PERSON": "off"}).redacting
    assert {raw.action(kind) for kind in (*KINDS, "SECRET") if kind not in BY_MODEL} == {"redact"}
    # Which takes a model, and is not looked for by default.
    assert raw.action("PERSON") == "off"
    assert Policy(kinds={"PERSON": "flag"}).redacting.action("PERSON") == "redact"
    assert json.loads(raw.model_dump_json())["restore"] is False
