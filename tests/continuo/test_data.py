import pytest
from pydantic import ValidationError

from continuo.patterns import Call


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("5m", 300), ("1h", 3600), ("1d", 86400), (7, 7)]
)
def test_a_duration_is_a_number_of_seconds_or_a_text_with_a_unit(text: object, seconds: float) -> None:
    assert Call.model_validate({"model": "m", "timeout": text}).timeout == seconds


@pytest.mark.parametrize("text", ["", "30", "s", "30 parsecs", "-5s", "1h30m", "0s", 0, -1])
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match="timeout"):
        Call.model_validate({"model": "m", "timeout": text})
