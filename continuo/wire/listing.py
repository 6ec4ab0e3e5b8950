"""A page of a list, in OpenAI's form."""

from collections.abc import Mapping, Sequence
from typing import Any


def listing(data: Sequence[Mapping[str, Any]], *, more: bool) -> dict[str, Any]:
    """The page; where there is `more`, the next one is `after` its `last_id`."""
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": list(data), "first_id": first, "last_id": last, "has_more": more}
