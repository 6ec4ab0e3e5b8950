import pytest
from pydantic import ValidationError

from continuo.patterns import Call, Variant
from continuo.tenants import Tenant


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("5m", 300), ("1h", 3600), ("1d", 86400), (7, 7)]
)
def test_a_duration_is_a_number_of_seconds_or_a_text_with_a_unit(text: object, seconds: float) -> None:
    assert Call.model_validate({"model": "m", "timeout": text}).timeout == seconds


@pytest.mark.parametrize("text", ["", "30", "s", "30 parsecs", "-5s", "1h30m", "0s", 0, -1])
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match="timeout"):
        Call.model_validate({"model": "m", "timeout": text})


@pytest.mark.parametrize(
    "fields",
    [
        {"timeout": 1e300},
        {"timeout": float("inf")},
        {"timeout": "31d"},
        {"retry": {"attempts": 99_999_999_999}},
        {"retry": {"factor": float("nan")}},
        {"max_tokens": True},
        {"max_tokens": 10**18},
    ],
)
def test_a_number_without_a_sane_bound_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Call.model_validate({"model": "m", **fields})


@pytest.mark.parametrize("weight", [float("inf"), 1e300])
def test_a_weight_is_finite(weight: float) -> None:
    with pytest.raises(ValidationError, match="weight"):
        Variant.model_validate({"step": Call(model="m"), "weight": weight})


@pytest.mark.parametrize("usd", [float("inf"), 1e300])
def test_so_is_a_budget(usd: float) -> None:
    with pytest.raises(ValidationError, match="daily_usd"):
        Tenant(daily_usd=usd)
