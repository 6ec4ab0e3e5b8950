"""The example of a schema fits it: whatever pydantic can describe, pydantic accepts."""

import json
from typing import Annotated, Any, Literal, Union
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, create_model

from continuo.simulator.example import example

ints = st.integers(-1000, 1000)


def bounded(kind: type, low: Any, width: Any, *, exclusive: bool) -> Any:
    """Numbers between two bounds, that leave room for one."""
    names = ("gt", "lt") if exclusive else ("ge", "le")
    return limited(kind, **dict(zip(names, (low, low + width), strict=True)))


def limited(kind: Any, **limits: Any) -> Any:
    return Annotated[kind, Field(**limits)]


def generic(origin: Any, *kinds: Any) -> Any:
    return origin[kinds]


leaves = st.one_of(
    st.sampled_from([int, float, str, bool, None, UUID, dict[str, int], Any]),
    st.builds(bounded, st.just(int), ints, st.integers(2, 9), exclusive=st.booleans()),
    st.builds(bounded, st.just(float), ints, st.integers(1, 9), exclusive=st.booleans()),
    st.builds(lambda limit: limited(int, lt=limit), ints),
    st.builds(lambda limit: limited(float, gt=limit), ints),
    st.builds(
        lambda low, more: limited(str, min_length=low, max_length=low + more), st.integers(0, 20), st.integers(0, 9)
    ),
    st.builds(lambda words: Literal[tuple(words)], st.lists(st.text(max_size=5), min_size=1, max_size=3)),
)
names = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=4, unique=True)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def model(names: list[str], types: list[Any], optional: bool) -> type[BaseModel]:
        fields: dict[str, Any] = {name: (kind, ...) for name, kind in zip(names, types, strict=False)}
        if optional:
            fields["left_out"] = (int, 0)
        return create_model("Nested", **fields)

    return st.one_of(
        st.builds(lambda kind: generic(Union, kind, None), inner),
        st.builds(lambda kind, low: limited(generic(list, kind), min_length=low), inner, st.integers(0, 3)),
        st.builds(lambda kind: limited(generic(list, kind), max_length=0), inner),
        st.builds(lambda one, other: generic(tuple, one, other), inner, inner),
        st.builds(model, names, st.lists(inner, min_size=4, max_size=4), st.booleans()),
    )


class Plan(BaseModel):
    """A schema that refers to itself, where the first way never ends."""

    parent: "Plan | None"
    steps: list["Plan"]


@given(st.recursive(leaves, nested, max_leaves=8))
def test_the_example_of_any_schema_fits_it(kind: Any) -> None:
    adapter = TypeAdapter(kind)
    adapter.validate_json(json.dumps(example(adapter.json_schema())))


def test_a_schema_that_holds_itself_comes_to_an_end() -> None:
    found = Plan.model_validate(example(Plan.model_json_schema()))
    assert found.parent is not None


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"enum": ["b", "a"]}, "b"),
        ({"const": 7}, 7),
        ({"type": ["string", "null"]}, "simulated"),
        ({"oneOf": [{"type": "boolean"}, {"type": "null"}]}, True),
        ({"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}}, {"n": 0}),
        ({"items": {"type": "null"}, "minItems": 2}, [None, None]),
        ({"type": "object", "properties": {"a": {"type": "null"}, "b": {}}, "required": ["a"]}, {"a": None}),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": 1}}}, 1),
        ({"type": "number", "minimum": 0, "maximum": 1}, 0.5),
        ({"type": "integer", "exclusiveMaximum": 0}, -1),
        ({"type": "string", "format": "date"}, "2026-01-01"),
    ],
)
def test_each_keyword_has_its_example(schema: dict[str, Any], expected: Any) -> None:
    assert example(schema) == expected
