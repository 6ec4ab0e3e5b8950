"""The pieces of an answer on their way to whoever waits for them, checked."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.guardrails.checks.blocked import blocked_words
from continuo.guardrails.checks.locating import locating, together
from continuo.guardrails.checks.redaction import blotted_once
from continuo.guardrails.checks.sensitive import sensitive
from continuo.guardrails.checks.stream import CheckedText
from continuo.patterns.guard import Hold


class CheckedDeltas:
    """Gives them as the outcome has them in the end, see `texts.changed`; a call of a tool as a whole.

    Without `redact` the answer ends before the first finding. `shown` is the text that it goes on with.
    """

    def __init__(self, hold: Hold, shown: str = "") -> None:
        self._redact = hold.redact
        recognisers = sensitive(hold.checks, hold.regions, hold.own)
        self._recognise = together(locating(hold.checks, recognisers, hold.known))
        self._held = blocked_words(hold.checks.blocked).longest
        self._text = self._checked(shown)
        self._thought: tuple[CheckedText, ReasoningDelta] | None = None
        self._calls: dict[int, list[ToolDelta]] = {}
        self._over = False

    def feed(self, piece: Delta) -> Iterator[Delta]:
        """The pieces that are now sure."""
        match piece:
            case ReasoningDelta():
                yield from self._think(piece)
            case ToolDelta():
                yield from self._end_thought()
                self._calls.setdefault(piece.index, []).append(piece)
            case TextDelta(text):
                yield from self._end_thought()
                yield from self._passing(TextDelta(self._text.feed(text)), self._text)

    def finish(self) -> Iterator[Delta]:
        """What was held back."""
        yield from self._end_thought()
        yield from self._passing(TextDelta(self._text.finish()), self._text)
        for first, *more in self._calls.values():
            whole = "".join(piece.arguments for piece in (first, *more))
            arguments, findings = blotted_once(whole, self._recognise)
            self._over |= bool(findings) and not self._redact
            if not self._over:
                yield replace(first, arguments=arguments)

    def _think(self, piece: ReasoningDelta) -> Iterator[Delta]:
        if self._thought and (piece.redacted or piece.protocol != self._thought[1].protocol):
            yield from self._end_thought()
        if piece.redacted:
            # Nobody can read it.
            yield from () if self._over else (piece,)
            return
        checked = self._thought[0] if self._thought else self._checked()
        self._thought = checked, piece
        yield from self._passing(replace(piece, text=checked.feed(piece.text), signature=None), checked)
        if piece.signature is not None:
            yield from self._end_thought()

    def _end_thought(self) -> Iterator[Delta]:
        if self._thought is not None:
            checked, last = self._thought
            self._thought = None
            rest = checked.finish()
            # It is signed as it was.
            signature = None if checked.redacted else last.signature
            yield from self._passing(replace(last, text=rest, signature=signature), checked)

    def _passing(self, piece: TextDelta | ReasoningDelta, checked: CheckedText) -> Iterator[Delta]:
        says = piece.text or (isinstance(piece, ReasoningDelta) and piece.signature is not None)
        if says and not self._over:
            yield piece
        self._over |= checked.redacted and not self._redact

    def _checked(self, shown: str = "") -> CheckedText:
        return CheckedText(self._recognise, held=self._held, redact=self._redact, shown=shown)


class Passing:
    """The pieces of an answer pass the checks of each of the guards around it, the innermost first."""

    def __init__(self, holds: Iterable[Hold], shown: str = "") -> None:
        self._guards = [CheckedDeltas(hold, shown) for hold in holds]

    def feed(self, pieces: Iterable[Delta]) -> list[Delta]:
        """Those that are now sure."""
        return self._behind(pieces, 0)

    def finish(self) -> list[Delta]:
        """What was held back."""
        rest: list[Delta] = []
        for number, guard in enumerate(self._guards, 1):
            rest += self._behind(guard.finish(), number)
        return rest

    def _behind(self, pieces: Iterable[Delta], first: int) -> list[Delta]:
        passing = [*pieces]
        for guard in self._guards[first:]:
            passing = [sure for piece in passing for sure in guard.feed(piece)]
        return passing
