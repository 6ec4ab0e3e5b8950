"""JSON as upstreams send it, made safe to keep: what is decoded here can be encoded again anywhere."""

import json
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
    return whole(found) if b"\\ud" in text.lower() else found


def whole(value: Any) -> Any:
    """The value with every text in it made encodable."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {whole(key): whole(item) for key, item in value.items()}
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)
