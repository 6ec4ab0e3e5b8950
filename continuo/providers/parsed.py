"""JSON as upstreams send it, made safe to keep: what is decoded here can be encoded again anywhere."""

import json
from json import decoder, scanner
from typing import Any

from continuo.apart import AT_ONCE
from continuo.errors import ProviderError
from continuo.providers.errors import invalid_response
from continuo.providers.protocol import Json

MAX_VALUES = 2_000_000
"""Values in a JSON object, the nested ones too: 16 MB of `[],` would be 5 million, and take 400 MB of memory."""


def parsed(text: bytes) -> Json:
    """The JSON object. Half a surrogate pair becomes U+FFFD. Raises `ProviderError` for what is no JSON object, as
    NaN and Infinity are none, and for one with more than `MAX_VALUES`."""
    try:
        value = json.loads(text, parse_constant=_refuse, cls=_Shared if len(text) > AT_ONCE else None)
    except (ValueError, RecursionError):
        raise invalid_response("the response is not JSON") from None
    if not isinstance(value, dict):
        raise invalid_response("the response is not a JSON object")
    # Only an escape can name half of a pair, since the bytes themselves are UTF-8.
    return whole(value) if b"\\ud" in text.lower() else value


class _Shared(json.JSONDecoder):
    """Python's own parser in Python: slower than that in C, which stops all threads until it is done."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        left = MAX_VALUES

        def counted(text: str, at: int) -> tuple[Any, int]:
            nonlocal left
            left -= 1
            if left < 0:
                raise ProviderError("invalid_response", f"the response has more than {MAX_VALUES:,} values")
            result: tuple[Any, int] = scan(text, at)
            return result

        self.parse_array = lambda start, _: decoder.JSONArray(start, counted)  # type: ignore[attr-defined]
        self.parse_object = lambda start, strict, _, *hooks: decoder.JSONObject(start, strict, counted, *hooks)  # type: ignore[attr-defined]
        self.scan_once = scan = scanner.py_make_scanner(self)  # type: ignore[attr-defined]


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
