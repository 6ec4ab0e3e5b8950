"""The items of a batch, as a program has them."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TypedDict

from pydantic import JsonValue

from continuo.authoring.prepare import validated
from continuo.door.items import item_fields
from continuo.door.request import Line, Request
from continuo.errors import InputError
from continuo.messages import Message
from continuo.parameters import Parameters


class BatchItem(TypedDict, total=False):
    """What one item asks: a prompt or messages, with or without data, or data alone. Its `id` is the caller's own."""

    prompt: str
    messages: Sequence[Message]
    system: str | None
    data: Mapping[str, JsonValue]
    parameters: Parameters
    id: str


def lines_of(items: Iterable[str | BatchItem], pattern: str) -> list[Line]:
    """Each item's request; a text is a prompt. Raises `InputError` with the number, from 1, of one that is wrong."""
    if isinstance(items, str):
        raise InputError("items: a text is one item; write a list of them")
    return [_line(number, item, pattern) for number, item in enumerate(items, 1)]


def digest_of(lines: Iterable[Line]) -> str:
    """The SHA-256 of the requests."""
    hashed = sha256()
    for line in lines:
        hashed.update(line.request.model_dump_json().encode() + b"\0")
    return hashed.hexdigest()


def _line(number: int, item: str | BatchItem, pattern: str) -> Line:
    try:
        return Line(number, validated(Request, pattern=pattern, **item_fields(item)))
    except InputError as error:
        raise InputError(f"items:{number}: {error}") from None
