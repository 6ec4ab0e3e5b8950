"""Secrets are blotted out of an answer that comes in pieces, though one is cut in two."""

from collections.abc import Iterator
from dataclasses import replace

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta, text_of
from continuo.protection.masking import Masker


class MaskedDeltas:
    """Holds back what may be the beginning of a secret, until the next piece of the same text or the end."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held = ""
        self._last: Delta | None = None

    def feed(self, piece: Delta) -> Iterator[Delta]:
        """The pieces that are now sure."""
        if self._last is not None and not _goes_on(self._last, piece):
            yield from self.finish()
        text = self._held + text_of(piece)
        ends = isinstance(piece, ReasoningDelta) and piece.signature is not None
        sure = len(text) if ends else self._masker.sure(text)
        self._held, self._last = text[sure:], piece
        shown = _with_text(piece, self._masker.text(text[:sure]))
        # The first piece of a call tells its name, whatever its text.
        if shown != _with_text(_more(piece), ""):
            yield shown

    def finish(self) -> Iterator[Delta]:
        """What was held back: it was no secret, or is the beginning of one that is masked already."""
        if self._held:
            assert self._last is not None
            yield _with_text(_more(self._last), self._masker.text(self._held))
        self._held = ""


def _goes_on(last: Delta, piece: Delta) -> bool:
    """Whether the piece is more of the same text."""
    if isinstance(last, ToolDelta) and isinstance(piece, ToolDelta):
        return last.index == piece.index
    if isinstance(last, ReasoningDelta) and isinstance(piece, ReasoningDelta):
        return last.signature is None
    return type(last) is type(piece)


def _with_text(piece: Delta, text: str) -> Delta:
    return replace(piece, arguments=text) if isinstance(piece, ToolDelta) else replace(piece, text=text)


def _more(piece: Delta) -> Delta:
    """A piece behind this one, which says nothing of its own."""
    match piece:
        case TextDelta():
            return TextDelta("")
        case ReasoningDelta():
            return ReasoningDelta("", protocol=piece.protocol)
        case ToolDelta():
            return ToolDelta(piece.index)
