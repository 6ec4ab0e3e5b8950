"""Items that are kept of a response, for the next one and for whoever lists them."""

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter

from continuo.wire.errors import WireError, refusing
from continuo.wire.listing import listing
from continuo.wire.responses.body import CountBody, Item
from continuo.wire.responses.response import item_id

Body = TypeVar("Body", bound=CountBody)

_ITEMS: TypeAdapter[list[Item]] = TypeAdapter(list[Item])
MOST = 100


def continued(body: Body, earlier: Sequence[dict[str, Any]]) -> Body:
    """The body with the items of earlier responses before its own: what they were asked, and what they answered."""
    with refusing("previous_response_id"):
        return body.model_copy(update={"input": [*items(earlier), *body.input]})


def items(kept: Sequence[dict[str, Any]]) -> list[Item]:
    """What these are as items of an input."""
    return _ITEMS.validate_python(list(kept))


def input_items(input: Sequence[Item], id: str) -> list[dict[str, Any]]:
    """The items that the response `id` was asked, each with an id of ours: those of its caller may be alike."""
    kinds = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}
    return [
        {
            "status": "completed",
            **item.model_dump(mode="json", exclude_none=True),
            "id": item_id(kinds[item.type], f"{id}_in", number),
        }
        for number, item in enumerate(input)
    ]


def page(
    items: Sequence[dict[str, Any]],
    *,
    limit: int = 20,
    order: Literal["asc", "desc"] = "desc",
    after: str | None = None,
) -> dict[str, Any]:
    """A page of a list: those after the one with the id `after`, in this order."""
    if not 1 <= limit <= MOST:
        raise WireError(400, f"limit: {limit} is not from 1 to {MOST}", "limit", "invalid_value")
    ordered = list(items) if order == "asc" else list(reversed(items))
    ids = [item["id"] for item in ordered]
    if after is not None and after not in ids:
        raise WireError(404, f"after: there is no item {after[:80]!r}", "after", "item_not_found")
    start = ids.index(after) + 1 if after is not None else 0
    return listing(ordered[start : start + limit], more=start + limit < len(ordered))
