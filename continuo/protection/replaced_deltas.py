"""What is replaced in an answer is replaced in one that comes in pieces, though a part of it is cut in two."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta, text_of


class ReplacedDeltas:
    """Holds back what may be the beginning of what is replaced, until the next piece of the same text or the end.

    The arguments of several calls may come in turns; a text ends where something else begins.
    """

    def __init__(
        self,
        replaced: Callable[[str], str],
        sure: Callable[[str], int],
        arguments: Callable[[str], str] | None = None,
    ) -> None:
        """`replaced` makes of a text what is shown of it, and `arguments` of the arguments of a call, where that is
        another thing; `sure` says how many characters of a text that goes on can be."""
        self._replaced = replaced
        self._sure = sure
        self._arguments = arguments or replaced
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
        sure = len(text) if ends else self._sure(text)
        if sure < len(text):
            self._held[kind] = (_more(piece), text[sure:])
        shown = self._shown(piece, text[:sure])
        # The first piece of a call tells its name, whatever its text.
        if shown != _with_text(_more(piece), ""):
            yield shown

    def finish(self) -> Iterator[Delta]:
        """What was held back: it was no beginning, or is one that is replaced already."""
        for piece, text in self._held.values():
            yield self._shown(piece, text)
        self._held.clear()

    def _shown(self, piece: Delta, text: str) -> Delta:
        replaced = self._arguments if isinstance(piece, ToolDelta) else self._replaced
        return _with_text(piece, replaced(text))


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
