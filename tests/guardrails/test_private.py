"""Placeholders: what is withheld comes back as it was, in any text, in any pieces, and nothing else changes."""

import json
import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.guardrails import Policy
from continuo.deltas import Delta, TextDelta, ToolDelta, text_of
from continuo.errors import InputError
from continuo.guardrails.findings import Finding
from continuo.guardrails.private import Private
from continuo.messages import Message, ModelRequest, ToolCall
from continuo.protection.replaced_deltas import ReplacedDeltas

EMAILS = ("ann@example.org", "bob@example.org")
QUOTED = "key-\"quoted\\'"
RECOGNISED = re.compile("|".join(map(re.escape, (*EMAILS, "4111111111111111", QUOTED))))
PIECES = st.sampled_from(
    [
        *EMAILS,
        "key-\"quoted\\'",
        "4111111111111111",
        "<EMAIL_1>",
        "<TEXT_1>",
        "<SECRET_12>",
        "<EMA",
        "<",
        "IL_1>",
        " and ",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join)


def recognise(text: str) -> Iterable[Finding]:
    for match in RECOGNISED.finditer(text):
        kind = "EMAIL" if "@" in match[0] else "CARD" if match[0].isdigit() else "SECRET"
        yield Finding(kind, match.start(), match.end())


def private(**policy: object) -> Private:
    return Private(Policy.model_validate(policy), recognise, secret=lambda: b"secret")


@given(st.lists(TEXTS, max_size=4))
def test_what_is_withheld_comes_back_as_it_was(texts: list[str]) -> None:
    own = private()
    made = [own.text(text) for text in texts]
    assert [own.restored(text) for text in made] == texts
    assert not any(RECOGNISED.search(text) for text in made)


JSON = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers(0, 10**17) | st.just(4111111111111111),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_a_json_value_comes_back_as_it_was(value: object) -> None:
    own = private()
    made = own.value(value)
    assert own.restored_value(made) == value
    assert "4111111111111111" not in json.dumps(made)
    assert not any(email in json.dumps(made) for email in EMAILS)


@given(st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_the_arguments_of_a_call_are_still_json_and_come_back(arguments: dict[str, str]) -> None:
    own = private()
    request = ModelRequest(
        messages=(Message(role="assistant", tool_calls=(ToolCall(id="1", name="f", arguments=json.dumps(arguments)),)),)
    )
    made = own.model(request)
    [call] = made.messages[0].tool_calls
    assert not any(email in call.arguments for email in EMAILS)
    assert json.loads(own.restored_model(made).messages[0].tool_calls[0].arguments) == arguments


@given(st.lists(TEXTS, min_size=1, max_size=5), st.randoms())
def test_it_comes_back_in_pieces_too_wherever_they_are_cut(texts: list[str], random: object) -> None:
    own = private()
    whole = "".join(texts)
    made = own.text(whole)
    cuts = sorted(random.sample(range(len(made) + 1), min(4, len(made) + 1)))  # type: ignore[attr-defined]
    parts = [made[start:end] for start, end in zip([0, *cuts], [*cuts, len(made)], strict=True)]
    pieces: list[Delta] = [TextDelta(part) for part in parts]
    assert "".join(text_of(piece) for piece in restored(own, pieces)) == whole


def restored(own: Private, pieces: list[Delta]) -> list[Delta]:
    shown = ReplacedDeltas(own.restored, own.sure, own.restored_arguments)
    return [*(one for piece in pieces for one in shown.feed(piece)), *shown.finish()]


def test_what_comes_back_in_the_arguments_of_a_stream_fits_into_json() -> None:
    own = private()
    made = own.text(QUOTED)
    parts: list[Delta] = [ToolDelta(0, "1", "f", '{"key": "' + made[:3]), ToolDelta(0, arguments=made[3:] + '"}')]
    assert json.loads("".join(text_of(piece) for piece in restored(own, parts))) == {"key": QUOTED}


def test_the_same_value_has_the_same_placeholder_in_texts_captions_and_arguments() -> None:
    own = private()
    assert own.text("ann@example.org, bob@example.org, ann@example.org") == "<EMAIL_1>, <EMAIL_2>, <EMAIL_1>"
    assert own.value({"to": ["bob@example.org"]}) == {"to": ["<EMAIL_2>"]}
    later = Private(own.policy, recognise, own.values, secret=lambda: b"")
    assert later.text(f"bob@example.org wrote {QUOTED}") == "<EMAIL_2> wrote <SECRET_1>"


def test_each_kind_is_treated_as_the_policy_says() -> None:
    assert private(kinds={"EMAIL": "off"}).text("ann@example.org") == "ann@example.org"
    flagged = private(personal="flag")
    assert flagged.text("ann@example.org") == "ann@example.org"
    assert flagged.decision.findings == {"EMAIL": 1}
    assert flagged.decision.action == "flagged"
    with pytest.raises(InputError, match=r"email: .* refuses") as error:
        private(kinds={"EMAIL": "reject"}).text("I am ann@example.org")
    assert "ann" not in str(error.value)


def test_people_are_told_apart_by_names_that_say_nothing() -> None:
    own = private()
    ann, bob = own.pseudonym("ann@example.org"), own.pseudonym("bob@example.org")
    assert ann != bob
    assert re.fullmatch(r"email-[0-9a-f]{16}", ann)
    assert own.pseudonym("user-1") == "user-1"
    assert own.wire({"user": "ann@example.org", "role": "user"}) == {"user": ann, "role": "user"}
    assert own.value({"user": "ann@example.org"}) == {"user": "<EMAIL_1>"}
