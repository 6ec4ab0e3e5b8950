"""What is kept of a request: its items as JSON, in which each medium is named by its SHA-256 and stands apart."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field

Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
]

LONG = 1024
"""Characters of the shortest medium that stands apart."""

_FIELDS = {"image_url", "file_data", "data", "url"}
"""Those of any dialect that hold a medium, as base64 or a URL."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def is_id(text: str) -> bool:
    """Whether this can be the id of anything that is kept."""
    return _ID.fullmatch(text) is not None


def apart(value: Any, media: dict[str, bytes]) -> Any:
    """The JSON value with its media in `media` instead."""
    if isinstance(value, list):
        return [apart(one, media) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _apart(name, one, media) for name, one in value.items()}


def _apart(name: str, value: Any, media: dict[str, bytes]) -> Any:
    if name not in _FIELDS or not isinstance(value, str) or len(value) < LONG:
        return apart(value, media)
    content = value.encode()
    media[digest := sha256(content).hexdigest()] = content
    return {"sha256": digest}


def named(value: Any) -> list[str]:
    """The media that stand apart from this value."""
    if isinstance(value, list):
        return [name for one in value for name in named(one)]
    if not isinstance(value, dict):
        return []
    name = _name(value)
    return [name] if name else [name for one in value.values() for name in named(one)]


def whole(value: Any, media: Mapping[str, bytes]) -> Any:
    """The value as it was, with its media."""
    if isinstance(value, list):
        return [whole(one, media) for one in value]
    if not isinstance(value, dict):
        return value
    # Whoever writes the same where anything may be written means no medium.
    if (name := _name(value)) in media:
        return media[name].decode()
    return {name: whole(one, media) for name, one in value.items()}


def _name(value: dict[str, Any]) -> str:
    name = value.get("sha256") if len(value) == 1 else None
    return name if isinstance(name, str) else ""
