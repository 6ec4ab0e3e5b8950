from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from continuo.authoring.files import NamedPattern
from continuo.authoring.recommend import Needs
from continuo.config.catalog import Catalog
from continuo.config.settings import Settings
from continuo.config.tenants import Tenant, Tenants
from continuo.data import Data, build_all
from continuo.jobs import Context
from continuo.messages import ModelRequest
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


def numbers(schema: Any) -> Iterator[Any]:
    """The schema of each number in a schema of pydantic's core."""
    if isinstance(schema, list | tuple):
        for part in schema:
            yield from numbers(part)
    elif isinstance(schema, dict):
        # Those of any JSON, as in the schema of a tool, are not ours.
        if schema.get("type") in ("int", "float") and not schema.get("metadata"):
            yield schema
        for name, part in schema.items():
            # A default or a tag is no schema.
            if name not in ("default", "metadata", "serialization", "json_schema_input_schema", "cls"):
                yield from numbers(part)


@pytest.mark.parametrize("kind", [NamedPattern, Catalog, Tenants, Context, ModelRequest, Needs])
def test_every_number_that_a_person_writes_has_bounds_and_is_no_truth(kind: type[BaseModel]) -> None:
    kind.model_rebuild()
    found = list(numbers(kind.__pydantic_core_schema__))
    assert found
    for number in found:
        assert {"ge", "gt"} & number.keys(), number
        assert {"le", "lt"} & number.keys(), number
        assert number.get("strict"), number


def test_every_number_of_the_environment_has_bounds() -> None:
    found = list(numbers(Settings.__pydantic_core_schema__))
    assert len(found) == 15
    assert all({"ge", "le"} <= number.keys() for number in found)


@pytest.mark.parametrize("infinite", [float("inf"), 1e300, float("nan")])
def test_no_number_is_infinite(infinite: float) -> None:
    for kind, fields in ((Call, {"model": "m", "timeout": infinite}), (Tenant, {"daily_usd": infinite})):
        with pytest.raises(ValidationError, match=r"timeout|daily_usd"):
            kind.model_validate(fields)


def test_what_validates_a_kind_is_built_with_the_first_of_it_or_with_all() -> None:
    class Late(Data):
        number: int

    assert not Late.__pydantic_complete__
    build_all()
    assert Late.__pydantic_complete__
    assert Late(number=1).number == 1
