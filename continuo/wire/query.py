"""What stands behind the question mark of an address."""

import re

from continuo.wire.errors import WireError


def flag(text: str | None, param: str) -> bool:
    """What a query says with `true` or `false`; false where it says nothing. Raises `WireError`."""
    if text not in (None, "true", "false"):
        raise WireError(400, f"{param}: {text[:40]!r} is neither true nor false", param, "invalid_value")
    return text == "true"


def number(text: str | None, param: str, otherwise: int) -> int:
    """What a query says as a number. Raises `WireError`."""
    if text is None:
        return otherwise
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise WireError(400, f"{param}: {text[:40]!r} is no number", param, "invalid_value")
    return int(text)
