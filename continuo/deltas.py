"""The pieces of an answer as they come: providers give them, the stream log keeps them, clients get them as events."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TextDelta:
    text: str


@dataclass(frozen=True)
class ReasoningDelta:
    """More of a thought. A `signature` ends it; `protocol` is whose it is, None the dialect's own.

    Of a `redacted` one the signature holds the whole, encrypted.
    """

    text: str
    signature: str | None = None
    protocol: str | None = None
    redacted: bool = False


@dataclass(frozen=True)
class ToolDelta:
    """More of the arguments of the call number `index`; `id`, `name` and `signature` come with its first piece."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    signature: str | None = None


Delta = TextDelta | ReasoningDelta | ToolDelta


def text_of(piece: Delta) -> str:
    """What a model has written of it."""
    return piece.arguments if isinstance(piece, ToolDelta) else piece.text
