"""What of an answer was sent while it came, and what of the whole is still to be sent."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.jobs import Outcome
from continuo.wire.pieces import deltas


class Beginning:
    """How a text begins. It is known again, and takes no more memory however long it is."""

    def __init__(self) -> None:
        self._length = 0
        self._digest = sha256()

    def add(self, text: str) -> None:
        self._length += len(text)
        self._digest.update(_bytes(text))

    def rest(self, whole: str) -> str | None:
        """What follows it in `whole`; None where that begins otherwise."""
        same = sha256(_bytes(whole[: self._length])).digest() == self._digest.digest()
        return whole[self._length :] if same else None


@dataclass
class Thought:
    """What was sent of one, whose text is that of `last` and of those before it."""

    last: ReasoningDelta
    text: Beginning = field(default_factory=Beginning)

    def is_whole(self, full: ReasoningDelta) -> bool:
        same = (self.last.signature, self.last.redacted) == (full.signature, full.redacted)
        return same and self.last.protocol == full.protocol and self.text.rest(full.text) == ""

    def rest(self, full: ReasoningDelta) -> ReasoningDelta | None:
        """What is missing to the full one; None where that is another one."""
        text = self.text.rest(full.text)
        if text is None or self.last.signature or self.last.protocol != full.protocol:
            return None
        return ReasoningDelta(text, full.signature, full.protocol, full.redacted)


class Shown:
    """The pieces that were sent, as the beginnings of the text, the thoughts and the calls."""

    def __init__(self, pieces: Iterable[Delta] = ()) -> None:
        self._text: Beginning | None = None
        self._thoughts: list[Thought] = []
        self._calls: dict[int, tuple[str, Beginning]] = {}
        for piece in pieces:
            self.add(piece)

    def add(self, piece: Delta) -> None:
        match piece:
            case TextDelta(text):
                self._text = self._text or Beginning()
                self._text.add(text)
            case ReasoningDelta():
                if not self._thoughts or not _goes_on(self._thoughts[-1].last, piece):
                    self._thoughts.append(Thought(piece))
                self._thoughts[-1].last = piece
                self._thoughts[-1].text.add(piece.text)
            case ToolDelta():
                _, arguments = self._calls.setdefault(piece.index, (piece.name or "", Beginning()))
                arguments.add(piece.arguments)

    def rest(self, outcome: Outcome) -> list[Delta] | None:
        """What is missing to the answer; None where what was sent is not how it begins."""
        missing = list(deltas(outcome))
        if not (self._text or self._thoughts or self._calls):
            return missing
        whole = "".join(piece.text for piece in missing if isinstance(piece, TextDelta))
        text = self._text.rest(whole) if self._text else whole
        thoughts, calls = self._thoughts_behind(missing), self._calls_behind(missing)
        if text is None or thoughts is None or calls is None:
            return None
        return [*thoughts, *([TextDelta(text)] if text else ()), *calls]

    def _thoughts_behind(self, pieces: list[Delta]) -> list[ReasoningDelta] | None:
        whole = _joined(piece for piece in pieces if isinstance(piece, ReasoningDelta))
        if not self._thoughts:
            return whole
        *before, last = self._thoughts
        if len(whole) < len(self._thoughts) or not all(map(Thought.is_whole, before, whole)):
            return None
        full, behind = whole[len(before)], whole[len(self._thoughts) :]
        if last.is_whole(full):
            return behind
        rest = last.rest(full)
        return None if rest is None else [rest, *behind]

    def _calls_behind(self, whole: list[Delta]) -> list[Delta] | None:
        missing: list[Delta] = []
        calls = [piece for piece in whole if isinstance(piece, ToolDelta)]
        for call in calls:
            if call.index not in self._calls:
                missing.append(call)
                continue
            name, arguments = self._calls[call.index]
            rest = arguments.rest(call.arguments)
            if name != call.name or rest is None:
                return None
            if rest:
                missing.append(ToolDelta(call.index, arguments=rest))
        return missing if self._calls.keys() <= {call.index for call in calls} else None


def _joined(pieces: Iterable[ReasoningDelta]) -> list[ReasoningDelta]:
    thoughts: list[ReasoningDelta] = []
    for piece in pieces:
        if thoughts and _goes_on(thoughts[-1], piece):
            thoughts[-1] = ReasoningDelta(thoughts[-1].text + piece.text, piece.signature, piece.protocol)
        else:
            thoughts.append(piece)
    return thoughts


def _goes_on(last: ReasoningDelta, piece: ReasoningDelta) -> bool:
    """Whether the piece is of the same thought as the one before it."""
    return not (last.signature or piece.redacted or last.protocol != piece.protocol)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
