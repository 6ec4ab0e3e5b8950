"""Embeddings as pure mappings."""

import json
from array import array
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.jobs import Outcome
from continuo.messages import Usage
from continuo.wire import embeddings as dialect
from continuo.wire.errors import WireError
from continuo.wire.parsed import parsed
from tests.wire.bodies import bodies

WHOLE: dict[str, Any] = {
    "model": "m", "input": ["a", "b"], "dimensions": 3, "encoding_format": "float", "user": "ada"
}  # fmt: skip
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def body(**fields: object) -> dialect.Body:
    return parsed(dialect.Body, json.dumps({**WHOLE, **fields}).encode())


@settings(deadline=None)
@given(st.lists(st.lists(FLOATS, min_size=2, max_size=2), min_size=1, max_size=5))
def test_both_forms_hold_the_vectors_of_32_bits_in_their_order(vectors: list[list[float]]) -> None:
    packed = b64encode(array("f", [number for vector in vectors for number in vector]).tobytes()).decode()
    outcome = Outcome(text="", served_by="model", embedding=packed, usage=Usage(input_tokens=5))
    texts = ["x"] * len(vectors)
    plain, base64 = [
        json.loads(dialect.response(outcome, {}, body(input=texts, encoding_format=form))) for form in ("float", None)
    ]
    assert [list(array("f", one["embedding"])) for one in plain["data"]] == vectors
    assert plain["usage"] == {"prompt_tokens": 5, "total_tokens": 5}
    assert base64["data"] == plain["data"]
    made = json.loads(dialect.response(outcome, {}, body(input=texts, encoding_format="base64")))
    assert [list(array("f", b64decode(one["embedding"]))) for one in made["data"]] == vectors


def test_every_field_is_passed_on() -> None:
    request = dialect.request(body(), resolve=lambda name: f"model:{name}").request
    assert [turn.text for turn in request.messages] == ["a", "b"]
    assert request.parameters.model_dump(exclude_defaults=True) == {"embed": True, "dimensions": 3, "user": "ada"}


@given(bodies(WHOLE))
def test_any_body_is_taken_or_refused(content: bytes) -> None:
    with suppress(WireError):
        dialect.request(parsed(dialect.Body, content), resolve=lambda name: f"model:{name}")


def test_a_pattern_has_no_embedding() -> None:
    with pytest.raises(WireError, match="model: 'm' is a pattern"):
        dialect.request(body(), resolve=lambda name: name)
