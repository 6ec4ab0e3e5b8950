"""What of an answer was sent while it came, and what of the whole is still to be sent."""

from collections.abc import Iterable

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.jobs import Outcome
from continuo.wire.pieces import deltas


class Shown:
    """The pieces that were sent, put together: the text, the thoughts, the calls."""

    def __init__(self, pieces: Iterable[Delta] = ()) -> None:
        self._texts: list[str] = []
        self._thoughts: list[ReasoningDelta] = []
        self._calls: dict[int, tuple[str, list[str]]] = {}
        for piece in pieces:
            self.add(piece)

    def add(self, piece: Delta) -> None:
        match piece:
            case TextDelta(text):
                self._texts.append(text)
            case ReasoningDelta():
                self._think(piece)
            case ToolDelta():
                _, arguments = self._calls.setdefault(piece.index, (piece.name or "", []))
                arguments.append(piece.arguments)

    def rest(self, outcome: Outcome) -> list[Delta] | None:
        """What is missing to the answer; None where what was sent is not how it begins."""
        missing = list(deltas(outcome))
        if not (self._texts or self._thoughts or self._calls):
            return missing
        whole = Shown(missing)
        text, sent = "".join(whole._texts), "".join(self._texts)
        thoughts, calls = _thoughts_behind(self._thoughts, whole._thoughts), self._calls_behind(missing)
        if not text.startswith(sent) or thoughts is None or calls is None:
            return None
        return [*thoughts, *([TextDelta(text[len(sent) :])] if text != sent else ()), *calls]

    def _think(self, piece: ReasoningDelta) -> None:
        last = self._thoughts[-1] if self._thoughts else None
        if last is None or last.signature or piece.redacted or last.protocol != piece.protocol:
            self._thoughts.append(piece)
        else:
            self._thoughts[-1] = ReasoningDelta(last.text + piece.text, piece.signature, piece.protocol)

    def _calls_behind(self, whole: list[Delta]) -> list[Delta] | None:
        missing: list[Delta] = []
        calls = [piece for piece in whole if isinstance(piece, ToolDelta)]
        for call in calls:
            if call.index not in self._calls:
                missing.append(call)
                continue
            name, parts = self._calls[call.index]
            arguments = "".join(parts)
            if name != call.name or not call.arguments.startswith(arguments):
                return None
            if arguments != call.arguments:
                missing.append(ToolDelta(call.index, arguments=call.arguments[len(arguments) :]))
        return missing if self._calls.keys() <= {call.index for call in calls} else None


def _thoughts_behind(sent: list[ReasoningDelta], whole: list[ReasoningDelta]) -> list[ReasoningDelta] | None:
    if not sent:
        return whole
    number, last = len(sent) - 1, sent[-1]
    if len(whole) < len(sent) or whole[:number] != sent[:number]:
        return None
    full = whole[number]
    if last == full:
        return whole[len(sent) :]
    if last.signature or not full.text.startswith(last.text) or last.protocol != full.protocol:
        return None
    rest = ReasoningDelta(full.text[len(last.text) :], full.signature, full.protocol, full.redacted)
    return [rest, *whole[len(sent) :]]
