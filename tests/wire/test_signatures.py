"""Signatures that a dialect has no place for come back all the same."""

import json

import pytest

from continuo.messages import Message, ToolCall
from continuo.wire import anthropic, responses
from continuo.wire.account import account
from continuo.wire.parsed import parsed
from tests.wire.outcomes import PARIS, outcome

SIGNED = ToolCall(id="call_1", name="weather", arguments='{"city": "Paris"}', signature="c2ln")
RESULT = Message(role="tool", content="Rain.", tool_call_id="call_1")


def test_a_call_that_gemini_signed_goes_back_to_it_by_messages() -> None:
    answer = anthropic.response(outcome(calls=(SIGNED,)), {}, id="msg_1", model="m")["content"]
    result = {"type": "tool_result", "tool_use_id": answer[0]["id"], "content": "Rain."}
    turns = [{"role": "assistant", "content": answer}, {"role": "user", "content": [result]}]
    body = {"model": "m", "max_tokens": 9, "messages": turns}
    read = anthropic.request(parsed(anthropic.Body, json.dumps(body).encode()), resolve=str)
    assert read.request.messages == (Message(role="assistant", tool_calls=(SIGNED,)), RESULT)


def test_a_call_that_gemini_signed_goes_back_to_it_by_responses() -> None:
    body = parsed(responses.Body, b'{"model": "m", "input": []}')
    answer = responses.response(outcome(calls=(SIGNED,)), {}, body, id="r", created_at=1.0, completed_at=2.0)["output"]
    result = {"type": "function_call_output", "call_id": answer[0]["call_id"], "output": "Rain."}
    read = responses.request(responses.continued(body, [*answer, result]), resolve=str)
    assert read.request.messages == (Message(role="assistant", tool_calls=(SIGNED,)), RESULT)


@pytest.mark.parametrize(("served_by", "cache"), [("cache", True), ("model", False)])
def test_the_account_says_whether_it_was_a_cache_and_leaves_out_what_does_not_apply(
    served_by: str, cache: bool
) -> None:
    told = account(PARIS.model_copy(update={"served_by": served_by, "saved_usd": 0.5}), "support")
    assert (told["cache"], told["pattern"], told["saved_usd"]) == (cache, "support", 0.5)
    assert "confidence" not in told
