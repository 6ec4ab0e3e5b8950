"""Whether JSON fits a schema. Nothing is fetched for it."""

import json
from collections.abc import Mapping
from typing import NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from pydantic import JsonValue
from referencing import Registry
from referencing.exceptions import Unresolvable

SHOWN = 300
"""Characters of what is wrong."""


def mistake_in(text: str, schema: Mapping[str, JsonValue]) -> str | None:
    """What is wrong with the text as JSON of this schema, in one line that names the field; None where it fits."""
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON: {error}"[:SHOWN]
    try:
        Draft202012Validator.check_schema(schema)
        first = best_match(Draft202012Validator(schema, registry=Registry()).iter_errors(value))
    except (SchemaError, Unresolvable, RecursionError) as wrong:
        return f"its schema cannot be read: {' '.join(str(wrong).split())}"[:SHOWN]
    if first is None:
        return None
    where = ".".join(map(str, first.absolute_path))
    said = first.message if len(first.message) <= SHOWN else f"{first.message[:SHOWN]}…"
    return f"{where}: {said}" if where else said


def mistake_of(schema: Mapping[str, JsonValue]) -> str | None:
    """What is wrong with the schema itself, in one line."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = ".".join(map(str, error.absolute_path))
        return f"{where}: {error.message}"[:SHOWN] if where else error.message[:SHOWN]
    return None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
