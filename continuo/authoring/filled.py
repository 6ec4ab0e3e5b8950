"""Templates of a step's input, with the values of their placeholders."""

import json
from collections.abc import Mapping

from pydantic import JsonValue

from continuo.errors import InputError
from continuo.patterns import PLACEHOLDER

KEYS = frozenset({"saga", "effect"})
"""The placeholders by which something is done once; nobody else gives them."""

LATE = KEYS | {"input"}
"""The placeholders whose values are known when the step runs, and not before."""


def filled(field: str, template: str, values: Mapping[str, JsonValue]) -> JsonValue:
    """The template with its placeholders filled; one that is nothing else becomes the value itself.

    Raises `InputError` for one that has no value.
    """
    for name in PLACEHOLDER.findall(template):
        if name not in values:
            what = "is run by no saga" if name == "saga" else "has no such field in its data; add it"
            raise InputError(f"{field!r} needs {{{name}}}, and the job {what}")
    if (whole := PLACEHOLDER.fullmatch(template)) is not None:
        return values[whole[1]]
    return PLACEHOLDER.sub(lambda match: _text(values[match[1]]), template)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
