import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.confidence import INSTRUCTION, UNKNOWN, Unrated, json_object, mean_probability, rated
from continuo.messages import Message, ModelResponse

unit = st.floats(0, 1)


def answer(text: str, confidence: float | None = None) -> ModelResponse:
    message = Message(role="assistant", content=text)
    return ModelResponse(message=message, finish_reason="stop", confidence=confidence)


@pytest.mark.parametrize(
    ("line", "confidence"),
    [
        ("CONFIDENCE: 0.85", 0.85),
        ("CONFIDENCE:.85", 0.85),
        ("Confidence : 1", 1),
        ("Confidence = 1", 1),
        ("**CONFIDENCE: 0.85**", 0.85),
        ("**Confidence:** 0.85.", 0.85),
        ("> CONFIDENCE: 0.85  ", 0.85),
        ("CONFIDENCE: 95%", 0.95),
        ("CONFIDENCE: 95 %", 0.95),
        ("CONFIDENCE: 1e-05", 0.00001),
        ("CONFIDENCE: 7", 1),
        ("CONFIDENCE: 120%", 1),
        ("CONFIDENCE: -1", 0),
        ("CONFIDENCE: high", UNKNOWN),
        ("CONFIDENCE: nan", UNKNOWN),
        ("CONFIDENCE: inf", UNKNOWN),
        ("CONFIDENCE: -inf%", UNKNOWN),
        ("CONFIDENCE: 9/10", UNKNOWN),
        ("CONFIDENCE:", UNKNOWN),
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n \n"])
def test_the_last_line_says_it_and_is_no_part_of_the_answer(line: str, confidence: float, end: str) -> None:
    assert rated(answer(f"One.\nTwo.\n\n{line}{end}")) == ("One.\nTwo.", confidence)


@pytest.mark.parametrize(
    "text",
    ["", "Yes.", "CONFIDENCE: 0.9\nYes.", "My CONFIDENCE: 0.9", "SELF-CONFIDENCE: 0.9", "Yes. CONFIDENCE: 0.9", " \n"],
)
def test_a_text_without_such_a_line_stays_as_it_is(text: str) -> None:
    assert rated(answer(text)) == (text, UNKNOWN)


@given(
    st.lists(
        st.sampled_from(["\n", " ", "Yes.", "con", "fidence", "CONFIDENCE", ": 0.9", "**", "> ", "\r\n", "x"]),
        max_size=12,
    )
)
def test_pieces_show_no_more_than_the_answer_and_hold_back_its_rating_alone(pieces: list[str]) -> None:
    unrated = Unrated()
    shown = "".join([unrated.shown(piece) for piece in pieces])
    text, _ = rated(answer("".join(pieces)))
    assert text.startswith(shown)
    last = text.rstrip().rpartition("\n")[2]
    if last.strip(" >*\r") and "c" not in last.lower():
        assert shown == text.rstrip()


def test_an_answer_may_be_nothing_but_the_line() -> None:
    assert rated(answer("CONFIDENCE: 0.9")) == ("", 0.9)


@pytest.mark.parametrize(
    ("text", "own", "confidence"),
    [
        ('{"confidence": 0.7}\nCONFIDENCE: 0.9', 0.8, 0.7),
        ('```json\n{"confidence": 0.7}\n```', 0.8, 0.7),
        ('{"confidence": 7}', 0.8, 1),
        ('{"confidence": -7}', 0.8, 0),
        ('{"confidence": 1' + "0" * 400 + "}", 0.8, 1),
        ('{"confidence": 0}', 0.8, 0),
        ('{"confidence": "0.7"}', 0.8, 0.8),
        ('{"confidence": true}', 0.8, 0.8),
        ('{"confidence": NaN}', 0.8, 0.8),
        ('{"confidence": Infinity}', 0.8, 0.8),
        ('[{"confidence": 0.7}]', 0.8, 0.8),
        ('Here: {"confidence": 0.7}', 0.8, 0.8),
        ("Yes.\nCONFIDENCE: 0.9", 0.8, 0.8),
        ("Yes.\nCONFIDENCE: 0.9", 0.0, 0),
        ("Yes.\nCONFIDENCE: 0.9", None, 0.9),
        ('{"answer": 1}\nCONFIDENCE: 0.9', None, 0.9),
        ('{"confidence": "high"}\nCONFIDENCE: high', None, UNKNOWN),
    ],
)
def test_a_field_goes_before_the_provider_and_the_provider_before_the_line(
    text: str, own: float | None, confidence: float
) -> None:
    found = rated(answer(text, own))
    assert found[1] == confidence
    assert "CONFIDENCE" not in found[0]


@pytest.mark.parametrize("text", ["{" * 100_000, '{"a":' * 100_000, "1" * 100_000, "", "null", "{'a': 1}"])
def test_what_is_no_json_object_is_none(text: str) -> None:
    assert json_object(text) is None


@given(st.text(), unit)
def test_a_line_is_read_back_and_leaves_the_answer(text: str, confidence: float) -> None:
    text = f"{text}."
    assert rated(answer(f"{text}\nCONFIDENCE: {confidence}")) == (text, confidence)


@given(st.text(), st.none() | unit)
def test_any_answer_is_rated_within_0_and_1(text: str, own: float | None) -> None:
    assert 0 <= rated(answer(text, own))[1] <= 1
    assert 0 <= rated(answer(f"CONFIDENCE:{text}", own))[1] <= 1


@given(st.floats(), unit)
def test_a_field_is_clamped_and_what_is_not_finite_is_left_to_the_provider(value: float, own: float) -> None:
    _, found = rated(answer(json.dumps({"confidence": value}), own))
    assert found == (min(max(value, 0), 1) if math.isfinite(value) else own)


def test_the_instruction_shows_the_very_line_that_is_read() -> None:
    assert rated(answer(f"Yes.\n{INSTRUCTION.splitlines()[-1].replace('x', '0.25')}")) == ("Yes.", 0.25)


@pytest.mark.parametrize("probability", [0.8, 0.85, 0.75, 1.0])
def test_equal_probabilities_have_themselves_as_their_mean(probability: float) -> None:
    assert mean_probability([math.log(probability)] * 7) == probability


@pytest.mark.parametrize(
    ("logprobs", "probability"),
    [([], None), ([math.nan], None), ([-9999.0], 0), ([-math.inf], 0), ([0.5], 1), ([math.log(0.5), 0.0], 0.707107)],
)
def test_the_mean_of_logarithms_is_a_probability_or_none(logprobs: list[float], probability: float | None) -> None:
    assert mean_probability(logprobs) == probability


@given(st.lists(st.floats(-1000, 0), min_size=1))
def test_a_mean_probability_lies_between_the_least_and_the_greatest(logprobs: list[float]) -> None:
    found = mean_probability(logprobs)
    assert found is not None
    assert math.exp(min(logprobs)) - 1e-6 <= found <= math.exp(max(logprobs)) + 1e-6
