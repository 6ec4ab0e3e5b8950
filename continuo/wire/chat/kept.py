"""Completions that are kept: the messages that one was asked, and one as it is told later."""

from collections.abc import Mapping
from typing import Any

from continuo.wire.chat.body import Body
from continuo.wire.kept import Metadata
from continuo.wire.parsed import Shape


class UpdateBody(Shape):
    """Of `POST /v1/chat/completions/{id}`."""

    metadata: Metadata | None


def written(body: Body) -> str:
    """The body as it is kept, without its messages."""
    return body.model_dump_json(by_alias=True, exclude_none=True, exclude={"messages"})


def messages(body: Body, id: str) -> list[dict[str, Any]]:
    """What was asked, each message with an id; several parts stand in `content_parts` too, and as one text."""
    return [
        {"id": f"{id}-{number}", **_message(turn.model_dump(mode="json", exclude_none=True))}
        for number, turn in enumerate(body.messages)
    ]


def _message(turn: dict[str, Any]) -> dict[str, Any]:
    parts = turn.get("content") or []
    text = "\n\n".join(part["text"] for part in parts if part["type"] == "text")
    several = len(parts) > 1 or any(part["type"] != "text" for part in parts)
    return {
        **turn,
        "content": text or None,
        "refusal": turn.get("refusal"),
        "content_parts": parts if several else None,
    }


def shown(answer: Mapping[str, Any], metadata: Mapping[str, str]) -> dict[str, Any]:
    return {**answer, "metadata": dict(metadata)}
