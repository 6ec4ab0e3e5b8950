"""The schema accepts what the loader accepts, and refuses what editors should mark."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from continuo.authoring.files import NamedPattern
from continuo.authoring.to_yaml import to_yaml
from continuo.config.defaults import DEFAULTS
from continuo.data import seconds
from continuo.patterns import Step
from continuo.starters.commands.schema import golden_set_schema, pattern_schema, schema
from tests.support.trees import trees

SCHEMA = pattern_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
CALL = {"kind": "call", "model": "mini"}


def valid(pattern: Any) -> bool:
    return VALIDATOR.is_valid({"description": "Mine.", "pattern": pattern})


def test_it_is_a_schema_of_its_draft_and_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert schema() == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"scores": [{"kind": "judge", "pattern": "model:mini", "rubric": "Fair"}, {"kind": "rouge-l"}]}, True),
        ({"scores": [{"pattern": "model:mini"}]}, False),
        ({"scores": []}, False),
        ({"windw": 3}, False),
    ],
)
def test_that_of_a_golden_set_accepts_what_is_read(change: dict[str, Any], valid: bool) -> None:
    Draft202012Validator.check_schema(golden_set_schema())
    value = {"description": "Mine.", "items": "i.jsonl", "scores": [{"kind": "exact"}], **change}
    assert Draft202012Validator(golden_set_schema()).is_valid(value) == valid


def test_every_part_says_what_it_is_for() -> None:
    assert [name for name, part in SCHEMA["$defs"].items() if not part.get("description")] == []


@pytest.mark.parametrize("path", sorted((DEFAULTS / "patterns").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_pattern_that_ships_is_valid(path: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@given(trees(["mini"], depth=3))
def test_every_pattern_as_it_is_written_is_valid(step: Step) -> None:
    VALIDATOR.validate(yaml.safe_load(to_yaml(NamedPattern(description="Mine.", pattern=step))))


@pytest.mark.parametrize(
    "pattern",
    [
        {"kind": "route", "by": "preference", "branches": {"cost": CALL}, "default": "cost"},
        {"kind": "fan_out", "branches": {"a": CALL}, "merge": "concatenate", "branch_timeout": "1.5 s"},
        {"kind": "ensemble", "members": [CALL, CALL], "combine": "majority"},
        {**CALL, "timeout": "500ms", "retry": {"initial": 0.5, "maximum": "1m"}},
        {"kind": "deadline", "step": CALL, "limit": 3},
    ],
)
def test_the_short_forms_are_valid(pattern: dict[str, Any]) -> None:
    assert valid(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        {"model": "mini"},
        {"kind": "cal", "model": "mini"},
        {**CALL, "timout": 3},
        {**CALL, "timeout": "soon"},
        {**CALL, "timeout": 0},
        {**CALL, "timeout": None},
        {"kind": "route", "by": "complexty", "branches": {"low": CALL}},
        {"kind": "route", "by": {"words": 3}, "branches": {"low": CALL}},
        {"kind": "fan_out", "branches": {"a": CALL}, "branch_timeout": "soon"},
        {"kind": "ensemble", "members": [CALL]},
        {"kind": "fallback", "steps": []},
        "mini",
    ],
)
def test_what_the_loader_refuses_is_marked(pattern: Any) -> None:
    assert not valid(pattern)


@given(st.from_regex(r"[0-9 .]{0,5} ?(ms|s|m|h|d|w)?", fullmatch=True))
def test_a_duration_has_the_form_that_is_read(text: str) -> None:
    try:
        read = float(str(seconds(text))) > 0
    except ValueError:
        read = False
    # That it is more than nothing is beyond the schema.
    assert valid({**CALL, "timeout": text}) == read or float("0" + "".join(filter(str.isdigit, text))) == 0
