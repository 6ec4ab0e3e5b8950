"""The base of every value that crosses a process, a file or a history."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict


class Data(BaseModel):
    """An immutable value; an unknown field is an error, so a typo never passes silently."""

    # What validates a kind is built when the first of it is made: a command needs few of them.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


def build_all() -> None:
    """Build what validates each kind that is loaded, for a process whose first of it would come at a bad time."""
    kinds: list[type[BaseModel]] = [Data]
    # In the order of their definition: what a kind nests is built before it, and is then taken as it is.
    for kind in kinds:
        kinds += kind.__subclasses__()
        kind.model_rebuild(raise_errors=False)


def is_set(value: object) -> bool:
    """Whether a field holds something: False and 0 are something, None and what is empty are not."""
    return value is not None and value != () and value != {}


WHEN_SET = Field(exclude_if=lambda value: not is_set(value))
"""Marks a field that is written only when it is set: with it added, what was written before stays as it was, and so do
the keys of caches that are made of it."""

Int = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
"""Numbers that are written as such: `yes` is none, though Python would take it for 1."""

MAX_SECONDS = 30 * 86400.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


def seconds(value: object) -> object:
    """Read "500ms", "30s", "5m", "1h" or "1d" as seconds; anything else is left to pydantic."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError(f"{value!r} is not a duration; write a number and a unit, such as 500ms, 30s, 5m, 1h")
        return float(match[1]) * _UNITS[match[2]]
    return value


def duration(value: float) -> str | float:
    """Seconds in the largest unit that gives a whole number, such as `30s`; as they are where none does exactly."""
    for unit, size in reversed(_UNITS.items()):
        number = value / size
        text = f"{number:.0f}{unit}"
        if number.is_integer() and seconds(text) == value:
            return text
    return value


Seconds = Annotated[Number, Field(gt=0, le=MAX_SECONDS), BeforeValidator(seconds, json_schema_input_type=float | str)]
"""A duration in seconds, at most 30 days; in YAML a number or a text such as `30s`."""
