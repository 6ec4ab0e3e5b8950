"""Messages with parts, and those without, which are as they ever were."""

import pytest
from pydantic import ValidationError

from continuo.messages import Message, ModelRequest, ToolCall, content_of
from continuo.parts import Reasoning, Text
from tests.support.media import part, png

THOUGHT = Reasoning(protocol="anthropic", text="Hm.", signature="s")
PHOTO = part(png())


def test_a_message_of_text_alone_has_the_json_it_always_had() -> None:
    call = ToolCall(id="a", name="track", arguments="{}")
    written = Message(role="assistant", content="Let me look.", tool_calls=(call,)).model_dump_json()
    assert written == (
        '{"role":"assistant","content":"Let me look.",'
        '"tool_calls":[{"id":"a","name":"track","arguments":"{}"}],"tool_call_id":null}'
    )
    assert Message.model_validate_json(written).tool_calls == (call,)


def test_a_message_with_parts_survives_its_json() -> None:
    signed = ToolCall(id="a", name="track", arguments="{}", signature="s")
    for message in (
        Message(role="user", content=(PHOTO, Text(text="What is it?"))),
        Message(role="assistant", content=(THOUGHT, Text(text="A cat.")), tool_calls=(signed,)),
    ):
        assert Message.model_validate_json(message.model_dump_json()) == message


def test_the_text_of_a_message_is_its_text_parts() -> None:
    assert Message(role="user", content=(Text(text="a"), PHOTO, Text(text="b"))).text == "a\n\nb"
    assert Message(role="assistant", content=(Text(text="a"), THOUGHT, Text(text="b"))).text == "ab"
    assert Message(role="user", content="a").text == "a"
    request = ModelRequest(messages=(Message(role="user", content=(PHOTO, Text(text="What is it?"))),))
    assert request.prompt == "What is it?"
    assert request.inputs == {"text", "image"}


def test_another_text_keeps_the_reasoning() -> None:
    answer = Message(role="assistant", content=(THOUGHT, Text(text="A cat.\nCONFIDENCE: 1")))
    assert answer.saying("A cat.").content == (THOUGHT, Text(text="A cat."))
    assert Message(role="assistant", content="a").saying("b").content == "b"


def test_texts_that_follow_each_other_are_one_and_text_alone_is_a_string() -> None:
    assert content_of([Text(text="a"), Text(text=""), Text(text="b")]) == "ab"
    assert content_of([]) == ""
    assert content_of([THOUGHT, Text(text="a"), Text(text="b")]) == (THOUGHT, Text(text="ab"))


@pytest.mark.parametrize(
    ("role", "content"), [("assistant", (PHOTO,)), ("tool", (PHOTO,)), ("user", (THOUGHT,)), ("user", ())]
)
def test_a_part_that_does_not_fit_the_role_is_refused(role: str, content: object) -> None:
    with pytest.raises(ValidationError):
        Message.model_validate({"role": role, "content": content})


def test_a_call_without_a_signature_is_written_without_its_defaults_too() -> None:
    call = ToolCall(id="c", name="weather", arguments="{}")
    assert call.model_dump(exclude_defaults=True) == {"id": "c", "name": "weather", "arguments": "{}"}
    assert ToolCall.model_validate_json(call.model_dump_json(exclude_defaults=True)) == call
