"""What every script shares: where it asks, and how it tells what it saw."""

import json
import os
from collections.abc import Callable
from typing import Any

URL, KEY = os.environ["CONTINUO_GATEWAY_URL"], os.environ["CONTINUO_GATEWAY_KEY"]
WRONG_KEY = "sk-none-of-ours"

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def error(ask: Callable[[], Any]) -> dict[str, Any]:
    """The typed exception that a client raises; those of a framework stand for the SDK's that caused it."""
    try:
        ask()
    except Exception as raised:
        found: BaseException | None = raised
        while found is not None and not hasattr(found, "status_code"):
            found = found.__cause__
        return {"type": type(raised).__name__, "status": getattr(found, "status_code", None)}
    return {"type": None}


def tell(**seen: Any) -> None:
    print(json.dumps(seen))
