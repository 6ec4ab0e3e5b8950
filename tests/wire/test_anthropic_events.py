"""However an answer is cut into pieces, the SDK puts the same message together."""

import json
from typing import Any

from anthropic.lib.streaming._messages import accumulate_event
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.deltas import ToolDelta
from continuo.jobs import Outcome
from continuo.wire import anthropic as dialect
from continuo.wire.parsed import parsed
from continuo.wire.pieces import Piece, pieces
from tests.wire.outcomes import outcomes, split


def message(pieces: list[Piece]) -> dict[str, Any]:
    """What the SDK makes of the events; every block begins and ends, in order."""
    events = dialect.Events(id="msg_1", model="m")
    read = [events.start(), *(one for piece in pieces for one in events.feed(piece))]
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    begun: list[int] = []
    for one in read:
        name, data = one.decode().removesuffix("\n\n").split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        if event["type"] == "content_block_start":
            begun.append(event["index"])
        if event["type"] != "message_stop":
            snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    assert begun == list(range(len(begun)))
    assert read[-1].startswith(b"event: message_stop\n")
    whole: dict[str, Any] = snapshot.to_dict()
    return whole


def response(outcome: Outcome) -> dict[str, Any]:
    made = dialect.response(outcome, {}, id="msg_1", model="m")
    return {name: value for name, value in made.items() if name != "continuo"}


@settings(deadline=None)
@given(outcomes, st.data())
def test_any_split_makes_the_message_of_the_whole(outcome: Outcome, data: st.DataObject) -> None:
    cut = list(pieces(outcome, {}))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(cut) - 1))
        cut[place : place + 1] = list(split(cut[place], data.draw(st.integers(0, 12))))
    assert message(cut) == response(outcome)


def test_calls_whose_arguments_come_in_turns_stay_apart() -> None:
    first = [ToolDelta(0, "a", "f", '{"x"'), ToolDelta(1, "b", "g", '{"y"'), ToolDelta(0, arguments=": 1}")]
    blocks = message([*first, ToolDelta(1, arguments=": 2}"), *pieces(Outcome(text="", served_by="model"), {})])
    assert [block["input"] for block in blocks["content"]] == [{"x": 1}, {"y": 2}]


@settings(deadline=None)
@given(outcomes)
def test_an_answer_that_goes_back_is_the_turn_that_it_was(outcome: Outcome) -> None:
    answer = {"role": "assistant", "content": response(outcome)["content"]}
    turns = [answer, {"role": "user", "content": "Go on."}]
    body = parsed(dialect.Body, json.dumps({"model": "m", "max_tokens": 9, "messages": turns}).encode())
    back, _ = dialect.request(body, resolve=str).request.messages
    assert back == outcome.message
