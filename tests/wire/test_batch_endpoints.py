"""What a line of a batch may ask for."""

import json
from typing import Any

import pytest

from continuo.wire.batches.endpoints import Endpoint, accept
from continuo.wire.errors import WireError


def _accepted(endpoint: Endpoint, **body: Any) -> dict[str, Any]:
    return accept(endpoint, json.dumps({"model": "sim-mini", **body}).encode(), lambda model: f"model:{model}")[1]


@pytest.mark.parametrize(
    ("endpoint", "body", "says"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}], "n": 2}, "body.n: a line"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}], "stream": True}, "body.stream"),
        ("/v1/completions", {"prompt": ["a", "b"]}, "body.prompt: a line of a batch has one; write a line for each"),
        ("/v1/completions", {"prompt": "a", "n": 2}, "body.n"),
        ("/v1/responses", {"input": "a", "store": True}, "body.store: it is not taken in a batch; leave it out"),
        ("/v1/responses", {"input": "a", "background": True}, "body.background"),
        ("/v1/responses", {"input": "a", "conversation": "conv_1"}, "body.conversation"),
        ("/v1/responses", {"input": "a", "previous_response_id": "resp_1"}, "body.previous_response_id"),
    ],
)
def test_what_a_file_of_answers_cannot_hold_is_refused(endpoint: Endpoint, body: dict[str, Any], says: str) -> None:
    with pytest.raises(WireError, match=says):
        _accepted(endpoint, **body)


def test_what_an_answer_does_not_tell_is_not_kept() -> None:
    assert _accepted("/v1/completions", prompt="a long one") == {"model": "sim-mini"}
    assert _accepted("/v1/responses", input="a long one") == {"model": "sim-mini", "store": False}
