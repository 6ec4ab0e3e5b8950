"""However an answer is cut into pieces, its stream ends as the same response."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from openai import omit
from openai._models import construct_type_unchecked
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent

from continuo.deltas import ToolDelta
from continuo.jobs import Outcome
from continuo.wire import responses as dialect
from continuo.wire.parsed import parsed
from continuo.wire.pieces import Piece, pieces
from tests.wire.outcomes import outcomes, split

BODY = parsed(dialect.Body, b'{"model": "m", "input": "Where?"}')


def streamed(pieces: list[Piece]) -> dict[str, Any]:
    """The response of the last event, after the SDK has put the stream together without an objection."""
    events = dialect.Events(BODY, id="resp_1", created_at=1.0, clock=lambda: 2.0)
    read = [*events.start(), *(one for piece in pieces for one in events.feed(piece))]
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=omit, text_format=omit)
    last: dict[str, Any] = {}
    for number, one in enumerate(read):
        name, data = one.decode().removesuffix("\n\n").split("\n")
        last = json.loads(data.removeprefix("data: "))
        assert name == f"event: {last['type']}"
        assert last["sequence_number"] == number
        state.handle_event(construct_type_unchecked(value=last, type_=ResponseStreamEvent))  # type: ignore[arg-type]
    assert last["type"] == "response.completed"
    response: dict[str, Any] = last["response"]
    return response


@settings(deadline=None)
@given(outcomes, st.data())
def test_any_split_makes_the_response_of_the_whole(outcome: Outcome, data: st.DataObject) -> None:
    cut = list(pieces(outcome, {}))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(cut) - 1))
        cut[place : place + 1] = list(split(cut[place], data.draw(st.integers(0, 12))))
    assert streamed(cut) == dialect.response(outcome, {}, BODY, id="resp_1", created_at=1.0, completed_at=2.0)


def test_calls_whose_arguments_come_in_turns_stay_apart() -> None:
    first = [ToolDelta(0, "a", "f", '{"x"'), ToolDelta(1, "b", "g", '{"y"'), ToolDelta(0, arguments=": 1}")]
    response = streamed([*first, ToolDelta(1, arguments=": 2}"), *pieces(Outcome(text="", served_by="model"), {})])
    assert [json.loads(item["arguments"]) for item in response["output"]] == [{"x": 1}, {"y": 2}]


@settings(deadline=None)
@given(outcomes)
def test_an_answer_that_goes_back_is_the_turn_that_it_was(outcome: Outcome) -> None:
    answer = dialect.response(outcome, {}, BODY, id="resp_1", created_at=1.0, completed_at=2.0)
    earlier = [*dialect.input_items(BODY.input, "resp_1"), *answer["output"]]
    asked, back, _ = dialect.request(dialect.continued(BODY, earlier), resolve=str).request.messages
    assert (asked.text, back) == ("Where?", outcome.message)


@settings(deadline=None)
@given(outcomes, st.integers(-2, 12))
def test_a_kept_response_is_streamed_again_with_the_same_events(outcome: Outcome, after: int) -> None:
    outcome = outcome.model_copy(update={"latency_ms": 1000.0})
    answer = dialect.ended(BODY, outcome, {"cache": False}, id="resp_1", created_at=1.0)
    events = dialect.Events(BODY, id="resp_1", created_at=1.0, clock=lambda: 2.0)
    first = [*events.start(), *(one for piece in pieces(outcome, {"cache": False}) for one in events.feed(piece))]
    body = dialect.read(dialect.written(BODY))
    again = dialect.replayed(body, json.loads(json.dumps(answer)), after=after)
    assert [*map(data_of, again)] == [*map(data_of, first[max(after + 1, 0) :])]


def data_of(event: bytes) -> object:
    return json.loads(event.partition(b"data: ")[2])
