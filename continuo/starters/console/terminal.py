"""Consoles that show what a model, a file or a server wrote, and never obey it."""

import re
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, Any, ClassVar

from rich.console import Console, ConsoleOptions, RenderableType
from rich.highlighter import RegexHighlighter
from rich.segment import Segment
from rich.text import Text
from rich.theme import Theme

# C0 but for tab and line feed, DEL, C1, and what turns the direction of text round.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


UNLIMITED = 1_000_000
"""Cells of a line off a terminal."""

_THEME = Theme({"words.wrong": "bold red", "words.careful": "bold yellow"})


def shown(text: str) -> str:
    """The text with each control character as JSON writes it, such as `\\u001b`: JSON stays the same JSON."""
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def wrapped(text: str) -> Text:
    """A text that takes several lines where one is too short, though the console leaves lines to the terminal."""
    return Text(shown(text), no_wrap=False, overflow="fold")


def levels(console: Console) -> int:
    """The levels of a tree that leave room for what stands on them; each is moved in by four cells."""
    return max(1, (console.width - 30) // 4)


class Words(RegexHighlighter):
    """Colours the word that tells at the start of a line what the line is."""

    base_style = "words."
    highlights: ClassVar = [r"^(?P<wrong>error|failed):", r"^(?P<careful>warning):"]


class SafeConsole(Console):
    """A console whose own colours and movements are the only ones; off a terminal its lines have no end.

    What is printed stands there as it is: nothing in it is markup, the name of an emoji or to be emphasised.
    """

    def __init__(self, *, file: IO[str] | None = None, stderr: bool = False, **settings: Any) -> None:
        if not (file or (sys.stderr if stderr else sys.stdout)).isatty():
            # FORCE_COLOR gives a pipe colours; that makes it no terminal, where lines are cut and drawn again.
            settings = {"width": UNLIMITED, "force_interactive": False, **settings}
        super().__init__(
            file=file,
            stderr=stderr,
            soft_wrap=True,
            markup=False,
            emoji=False,
            highlighter=Words(),
            theme=_THEME,
            **settings,
        )

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=shown(segment.text))

    def on_broken_pipe(self) -> None:
        """Exit as a program does that writes where nobody reads any more, such as into `head`."""
        with suppress(SystemExit):
            super().on_broken_pipe()
        raise SystemExit(128 + signal.SIGPIPE)


out = SafeConsole(highlight=False)
"""Answers and tables."""

err = SafeConsole(stderr=True)
"""Everything else."""
