"""Secrets are blotted out of an answer that comes in pieces, though one is cut in two."""

from collections.abc import Hashable, Iterator
from dataclasses import replace

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta, text_of
from continuo.protection.masking import Masker


class MaskedDeltas:
    """Holds back what may be the beginning of a secret, until the next piece of the same text or the end.

    The arguments of several calls may come in turns; a text ends where something else begins.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held: dict[Hashable, tuple[Delta, str]] = {}

    def feed(self, piece: Delta) -> Iterator[Delta]:
        """The pieces that are now sure."""
        kind = _kind(piece)
        if kind not in self._held and not isinstance(piece, ToolDelta):
            yield from self.finish()
        _, held = self._held.pop(kind, (piece, ""))
        if any(isinstance(other, str) for other in self._held):
            yield from self.finish()
        text = held + text_of(piece)
        ends = isinstance(piece, ReasoningDelta) and piece.signature is not None
        sure = len(text) if ends else self._masker.sure(text)
        if sure < len(text):
            self._held[kind] = (_more(piece), text[sure:])
        shown = _with_text(piece, self._masker.text(text[:sure]))
        # The first piece of a call tells its name, whatever its text.
        if shown != _with_text(_more(piece), ""):
            yield shown

    def finish(self) -> Iterator[Delta]:
        """What was held back: it was no secret, or is the beginning of one that is masked already."""
        for piece, text in self._held.values():
            yield _with_text(piece, self._masker.text(text))
        self._held.clear()


def _kind(piece: Delta) -> Hashable:
    """What a piece is more of: the text, a thought, or the arguments of a call, by its number."""
    return piece.index if isinstance(piece, ToolDelta) else type(piece).__name__


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
