"""A request's body, read and checked."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from continuo.wire.errors import WireError


class Shape(BaseModel):
    """A part of a body. A field that is not declared is refused by its name, so none is dropped silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())


S = TypeVar("S", bound=Shape)


def parsed(shape: type[S], body: bytes) -> S:
    """The body as a `shape`. Raises `WireError` that names the first field that is wrong."""
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        raise WireError(400, f"the body is no JSON: {first['ctx']['error']}", code="invalid_json")
    path = _path(body, first)
    message = _message(first)
    raise WireError(400, f"{path}: {message}" if path else message, path or None, _CODES.get(first["type"]))


_CODES = {"missing": "missing_required_parameter", "extra_forbidden": "unsupported_parameter"}


def _message(error: ErrorDetails) -> str:
    context: dict[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "this field is required"
        case "extra_forbidden":
            return "this field is not taken here; leave it out"
        case "union_tag_invalid":
            return f"{str(context['tag'])[:80]!r} is not taken here; known: {context['expected_tags']}"
        case "literal_error":
            return f"{str(error['input'])[:80]!r} is not taken here; known: {context['expected']}"
    return error["msg"].removeprefix("Value error, ")


def _path(body: bytes, error: ErrorDetails) -> str:
    """Where in the body the error is: of pydantic's path without the names of alternatives, which no caller knows."""
    at: Any = json.loads(body)
    path: list[Any] = []
    key: Any
    tagged = False
    for key in error["loc"]:
        if isinstance(at, dict) and not tagged and key in (at.get("type"), at.get("role")):
            tagged = True
        elif (isinstance(at, dict) and key in at) or (isinstance(at, list) and key in range(len(at))):
            at, tagged = at[key], False
            path.append(key)
    if error["type"] == "missing":
        path.append(error["loc"][-1])
    return ".".join(map(str, path))
