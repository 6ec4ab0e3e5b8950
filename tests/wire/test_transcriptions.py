"""Transcriptions as pure mappings."""

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.messages import Segment, Transcript, Usage
from continuo.parts import Audio
from continuo.wire import transcriptions as dialect
from continuo.wire.account import account
from continuo.wire.errors import WireError
from continuo.wire.parsed import parsed
from continuo.wire.pieces import Broken, pieces
from tests.support.media import wav
from tests.wire.bodies import bodies
from tests.wire.outcomes import PARIS, outcomes, split

WHOLE: dict[str, Any] = {
    "model": "m", "chunking_strategy": "auto", "language": "de", "prompt": "Ada", "response_format": "json",
    "stream": "true", "temperature": "0.5",
}  # fmt: skip


def resolve(name: str) -> str:
    return f"model:{name}"


def events(told: list[Any]) -> list[dict[str, Any]]:
    feeding = dialect.Events()
    lines = b"".join(event for piece in told for event in feeding.feed(piece)).decode().split("\n\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line not in ("", "data: [DONE]")]


def test_every_field_is_passed_on() -> None:
    accepted = dialect.request(parsed(dialect.Body, json.dumps(WHOLE).encode()), wav(), "a.wav", resolve=resolve)
    request = accepted.request
    assert request.parameters.model_dump(exclude_defaults=True) == {
        "temperature": 0.5,
        "extra": {"openai": {"language": "de", "chunking_strategy": "auto"}},
    }
    [turn] = request.messages
    assert (turn.text, [type(part) for part in turn.media], len(accepted.media)) == ("Ada", [Audio], 1)


@given(bodies(WHOLE))
def test_any_fields_are_taken_or_refused(content: bytes) -> None:
    with suppress(WireError):
        dialect.request(parsed(dialect.Body, content), wav(), "a.wav", resolve=resolve)


@given(outcomes, st.integers(0, 9), st.sampled_from([Usage(input_tokens=3, output_tokens=4), Usage(seconds=1.5)]))
def test_a_stream_says_what_the_whole_says(answer: Any, at: int, usage: Usage) -> None:
    answer = answer.model_copy(update={"usage": usage})
    told = account(answer, "model:m")
    *deltas, done = events([part for piece in pieces(answer, told) for part in split(piece, at)])
    assert done == {"type": "transcript.text.done", **dialect.response(answer, told)}
    assert "".join(delta["delta"] for delta in deltas) == done["text"]


@given(
    st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e5), st.text()), max_size=5), st.sampled_from(["srt", "vtt"])
)
def test_subtitles_have_a_cue_for_each_segment_whatever_it_says(told: list[Any], form: Any) -> None:
    segments = tuple(Segment(start=start, end=end, text=text) for start, end, text in told)
    transcript = Transcript(language="en", duration=1.0, segments=segments)
    text = dialect.subtitles(PARIS.model_copy(update={"transcript": transcript}), form)
    time = r"\d{2,}:[0-5]\d:[0-5]\d[.,]\d{3}"
    assert len(re.findall(rf"^{time} --> {time}$", text, re.MULTILINE)) == text.count("-->") == len(told)


def test_a_provider_that_tells_no_times_is_an_error_that_says_so() -> None:
    with pytest.raises(WireError, match="did not tell when"):
        dialect.verbose(PARIS, {})


def test_a_stream_that_breaks_ends_with_an_error() -> None:
    assert events([*list(pieces(PARIS, {}))[:-1], Broken("gone")])[-1]["error"]["message"] == "gone"
