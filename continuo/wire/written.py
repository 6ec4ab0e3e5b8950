"""JSON as it is sent."""

import json
from collections.abc import Mapping

import orjson


def written(value: Mapping[str, object]) -> bytes:
    """The value as JSON. A number of more than 64 bits, which a caller's schema may hold, takes a little longer."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()
