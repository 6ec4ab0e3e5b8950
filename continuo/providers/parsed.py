"""JSON as upstreams send it, made safe to keep: what is decoded here can be encoded again anywhere."""

import json
from collections.abc import Callable
from typing import Any

from continuo.providers.errors import invalid_response
from continuo.providers.protocol import Json


def parsed(text: bytes) -> Json:
    """The JSON object. Half a surrogate pair becomes U+FFFD. Raises `ProviderError` for what is no JSON object, as
    NaN and Infinity are none."""
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise invalid_response("the response is not JSON") from None
    if not isinstance(found, dict):
        raise invalid_response("the response is not a JSON object")
    # Only an escape can name half of a pair, since the bytes themselves are UTF-8.
    return changed(found, _encodable) if b"\\ud" in text.lower() else found


def changed(value: Any, change: Callable[[str], str]) -> Any:
    """The JSON value with `change` applied to every text in it, names among them."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [changed(item, change) for item in value]
    if isinstance(value, dict):
        return {change(name): changed(item, change) for name, item in value.items()}
    return value


def _encodable(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _refuse(constant: str) -> None:
    raise ValueError(constant)
