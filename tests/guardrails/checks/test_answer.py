"""What is wrong with an answer, and what is told of it."""

from typing import Any

import pytest

from continuo.decisions.guarded import asked_again
from continuo.guardrails.checks.answer import Checked, checked
from continuo.guardrails.checks.language import is_in
from continuo.guardrails.checks.sensitive import sensitive
from continuo.jobs import Alternative, Context, Job, Outcome, Verdict
from continuo.messages import Message, ModelRequest, Token, ToolCall
from continuo.parts import Reasoning, Text
from continuo.patterns import Agent, Call, Checks, Fallback, Guard

LEAK = "eve@evil.test"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"age": {"type": "integer"}, "name": {"maxLength": 3}},
    "required": ["age"],
    "additionalProperties": False,
}


def asking(prompt: str = "Who?", **data: Any) -> Job:
    step = Fallback(
        steps=(
            Call(model="m", system="Tell those who want their money back to write to help@acme.test, and nobody else."),
            Agent(model=Call(model="m"), system="Be brief."),
        )
    )
    message = Message(role="user", content=prompt)
    return Job(step=step, context=Context(pattern="test"), request=ModelRequest(messages=(message,)), data=data)


def check(checks: Checks, answer: str | Outcome, job: Job | None = None, *, redact: bool = False) -> Checked:
    outcome = Outcome(text=answer, served_by="model") if isinstance(answer, str) else answer
    return checked(
        Guard(Call(model="m"), checks=checks), sensitive(checks, ("US",), {}), job or asking(), outcome, redact=redact
    )


def whys(checks: Checks, answer: str, job: Job | None = None) -> list[str]:
    return [wrong.why for wrong in check(checks, answer, job).wrong]


def test_personal_data_counts_unless_it_was_in_the_request_the_data_or_the_instructions() -> None:
    checks = Checks(personal=("EMAIL",))
    for job in (asking(f"I am {LEAK}"), asking(customer={"mails": [LEAK]}), asking(f'{{"mail": "{LEAK.upper()}"}}')):
        assert check(checks, f"Write to {LEAK} or help@acme.test.", job).wrong == ()
    (wrong,) = check(checks, f"Write to {LEAK}, {LEAK} and help@acme.test.").wrong
    assert (wrong.check, wrong.findings) == ("personal", {"EMAIL": 2})
    assert wrong.why == "holds personal data that was not in the request (EMAIL)"


def test_every_text_of_an_outcome_is_checked_and_redacted() -> None:
    thought = Reasoning(protocol="anthropic", text=f"I know {LEAK}.", signature="signed")
    message = Message(
        role="assistant",
        content=(thought, Text(text=f"Write to {LEAK}.")),
        tool_calls=(ToolCall(id="a", name="mail", arguments=f'{{"to": "{LEAK}"}}'),),
    )
    outcome = Outcome(
        text=f"Write to {LEAK}.",
        message=message,
        served_by="model",
        logprobs=(Token(text=LEAK, logprob=-0.1),),
        outputs={"first": LEAK},
        alternatives=(Alternative(member="a", text=LEAK),),
        verdict=Verdict.model_validate(
            {"reviewer": "ann", "decision": "edit", "time": "2026-11-27T06:00:00Z", "changes": [f"-{LEAK}"]}
        ),
        confidence=0.5,
    )
    result = check(Checks(personal=("EMAIL",)), outcome, redact=True)
    assert result.redacted is not None
    assert LEAK not in result.redacted.model_dump_json()
    assert result.redacted.text == "Write to ███."
    assert result.redacted.message is not None
    # What was signed was another thought.
    assert result.redacted.message.parts[0] == Reasoning(protocol="anthropic", text="I know ███.")
    assert result.redacted.confidence == 0.5
    assert check(Checks(personal=("EMAIL",)), result.redacted).wrong == ()


def test_an_answer_that_passes_is_left_as_it_is() -> None:
    assert check(Checks(personal=("EMAIL",), links=()), "Fine.", redact=True) == Checked()


def test_instructions_of_the_request_and_of_steps_are_not_to_be_repeated() -> None:
    leak = "tell those who want their money back to write to help@acme.test, and nobody else"
    assert whys(Checks(system_prompt=True), f"I am to {leak}.") == ["repeats its instructions"]
    assert whys(Checks(system_prompt=True), "I am to be brief.") == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("no", "it cannot be read as JSON"),
        ('{"age": NaN}', "it cannot be read as JSON"),
        ("[" * 100_000, "it cannot be read as JSON"),
        ("{}", "'age' is missing"),
        (f'{{"age": "{LEAK}"}}', "it breaks the rule properties.age.type"),
        (f'{{"age": 1, "{LEAK}": 1}}', "it breaks the rule additionalProperties"),
        (f'{{"age": 1, "name": "{LEAK}"}}', "it breaks the rule properties.name.maxLength"),
    ],
)
def test_what_breaks_a_schema_is_told_in_words_of_the_schema_alone(answer: str, why: str) -> None:
    assert whys(Checks(json_schema=SCHEMA), answer) == [f"does not fit its JSON schema: {why}"]
    assert whys(Checks(json_schema=SCHEMA), '{"age": 1, "name": "ada"}') == []


def test_a_text_has_the_form_and_the_length_that_are_wanted() -> None:
    assert whys(Checks(matches=r"^ticket \d+$"), "ticket 12") == []
    assert whys(Checks(matches=r"^ticket \d+$"), "no") == [r"does not match the regular expression ^ticket \d+$"]
    length = Checks.model_validate({"length": {"min": 2, "max": 3}})
    assert [whys(length, text) for text in ("é", "éé", "éééé")] == [
        ["has 1 characters, fewer than 2"],
        [],
        ["has 4 characters, more than 3"],
    ]
    assert whys(Checks(matches="^(a+)+$"), "a" * 1_000_000 + "b")


@pytest.mark.parametrize(
    ("text", "languages", "passes"),
    [
        ("Your parcel will be there tomorrow morning.", ("en",), True),
        ("Ihr Paket ist morgen früh bei Ihnen, versprochen.", ("en",), False),
        ("Ihr Paket ist morgen früh bei Ihnen, versprochen.", ("en", "de"), True),
        ("今日はとても天気がいいですから、公園に散歩に行きましょう。", ("en",), False),
        ("Danke!", ("en",), True),
        (
            "Use this:\n```\nfür = lambda größe: größe + überhang * straße\n```\nIt adds the overhang to it.",
            ("en",),
            True,
        ),
    ],
)
def test_a_language_is_told_by_enough_of_prose(text: str, languages: tuple[str, ...], passes: bool) -> None:
    assert is_in(text, languages) is passes


def test_calls_of_tools_alone_have_no_text_that_could_be_wrong() -> None:
    message = Message(role="assistant", tool_calls=(ToolCall(id="a", name="look", arguments="{}"),))
    calls = Outcome(text="", message=message, served_by="model")
    checks = Checks.model_validate({"json_schema": SCHEMA, "length": {"min": 1}})
    assert check(checks, calls).wrong == ()
    assert len(check(checks, "").wrong) == 2


def test_who_is_asked_again_has_the_prompt_with_the_reason_in_it() -> None:
    request = ModelRequest(
        messages=(
            Message(role="user", content="Who?"),
            Message(role="assistant", content="Ada."),
            Message(role="user", content=(Text(text="And then?"),)),
        )
    )
    again = asked_again(request, ["is too long", "links to addresses that are not allowed"])
    assert again.messages[:2] == request.messages[:2]
    note = "it is too long; it links to addresses that are not allowed. Answer anew, without that mistake.)"
    assert again.prompt == f"And then?\n\n(An earlier answer could not be used: {note}"
