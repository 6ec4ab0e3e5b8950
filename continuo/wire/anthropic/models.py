"""The models and patterns that can be named."""

from collections.abc import Sequence
from typing import Any

from continuo.wire.errors import WireError

MOST = 1_000


def model(id: str) -> dict[str, Any]:
    """One of them. When it was made is not known, which this dialect writes as the year 1970."""
    return {
        "type": "model",
        "id": id,
        "display_name": id,
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
    }


def models(
    ids: Sequence[str], *, limit: int = 20, after_id: str | None = None, before_id: str | None = None
) -> dict[str, Any]:
    """A page of the list, `ids` in their order: those after one of them, or before one."""
    if not 1 <= limit <= MOST:
        raise WireError(400, f"limit: {limit} is not from 1 to {MOST:,}", "limit", "invalid_value")
    start, end = 0, len(ids)
    for name, id in (("after_id", after_id), ("before_id", before_id)):
        if id is not None and id not in ids:
            raise WireError(404, f"{name}: there is no model {id[:80]!r}", name, "model_not_found")
    if after_id is not None:
        start = ids.index(after_id) + 1
    if before_id is not None:
        end = ids.index(before_id)
        start = max(start, end - limit)
    page = ids[start:end][:limit]
    return {
        "data": [model(id) for id in page],
        "first_id": page[0] if page else None,
        "last_id": page[-1] if page else None,
        "has_more": start > 0 if before_id is not None else start + len(page) < end,
    }
