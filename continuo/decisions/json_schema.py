"""Whether JSON fits a schema. Nothing is fetched for it."""

import json
from collections.abc import Mapping
from typing import NoReturn

from jsonschema_rs import Draft202012Validator, FancyRegexOptions, ValidationError, ValidationErrorKind
from pydantic import JsonValue

SHOWN = 300
"""Characters of what is wrong."""

PATTERNS = FancyRegexOptions(backtrack_limit=100_000)
"""A regular expression that goes back and forth more often does not match: who wrote the schema may mean ill."""


def mistake_in(text: str, schema: Mapping[str, JsonValue]) -> str | None:
    """What is wrong with the text as JSON of this schema, in one line that names the field; None where it fits."""
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON: {error}"[:SHOWN]
    try:
        return misfit(value, schema)
    except ValueError as wrong:
        return str(wrong)


def rule_broken(text: str, schema: Mapping[str, JsonValue]) -> str | None:
    """The same, in words of the schema alone: what was to be JSON may hold what nobody is to see."""
    try:
        first = next(_validator(schema).iter_errors(json.loads(text, parse_constant=_no_number)), None)
    except (ValueError, RecursionError):
        return "it cannot be read as JSON"
    if first is None:
        return None
    if isinstance(first.kind, ValidationErrorKind.Required):
        return f"{first.kind.property!r} is missing"
    return f"it breaks the rule {'.'.join(map(str, first.schema_path))}"[:SHOWN]


def misfit(value: JsonValue, schema: Mapping[str, JsonValue]) -> str | None:
    """What does not fit in the value, in one line that names the field; None where all fits.

    Raises `ValueError` for a schema that is none, refers to what it does not hold, or goes too deep.
    """
    try:
        first = next(_validator(schema).iter_errors(value), None)
    except ValueError as wrong:
        raise ValueError(f"its schema cannot be read: {_line(wrong)}") from None
    return None if first is None else _line(first)


def mistake_of(schema: Mapping[str, JsonValue]) -> str | None:
    """What is wrong with the schema itself, in one line."""
    try:
        _validator(schema)
    except ValueError as wrong:
        return _line(wrong)
    return None


def _validator(schema: Mapping[str, JsonValue]) -> Draft202012Validator:
    return Draft202012Validator(dict(schema), retriever=_refuse, pattern_options=PATTERNS)


def _refuse(address: str) -> NoReturn:
    raise ValueError("it is not in the schema, and nothing is fetched")


def _line(wrong: ValueError) -> str:
    if not isinstance(wrong, ValidationError):
        return _short(wrong)
    where, said = ".".join(map(str, wrong.instance_path)), _short(wrong.message)
    return f"{where}: {said}" if where else said


def _short(wrong: object) -> str:
    said = " ".join(str(wrong).split())
    return said if len(said) <= SHOWN else f"{said[:SHOWN]}…"


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
