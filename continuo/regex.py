"""Regular expressions in linear time, whatever the text is: RE2's, without backreferences and lookarounds."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol, cast

import re2


class Match(Protocol):
    def span(self, group: int = 0) -> tuple[int, int]: ...


class Regex(Protocol):
    """A compiled regular expression of text; `finditer` gives its matches from left to right."""

    def finditer(self, text: str, pos: int | None = None, endpos: int | None = None) -> Iterator[Match]: ...

    def search(self, text: str, pos: int | None = None, endpos: int | None = None) -> Match | None: ...


class BytesRegex(Protocol):
    """The same of bytes, each of which is a character."""

    def finditer(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Iterator[Match]: ...

    def search(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Match | None: ...

    def match(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Match | None: ...

    def fullmatch(self, text: bytes) -> Match | None: ...


def _options(encoding: "re2.Options.Encoding") -> "re2.Options":
    options = re2.Options()
    options.encoding, options.log_errors = encoding, False
    return options


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Regex:
    """Raises `ValueError` with one line that says what is wrong, or that it would take more than linear time."""
    try:
        return cast(Regex, re2.compile(pattern, _options(re2.Options.Encoding.UTF8)))
    except (re2.error, UnicodeEncodeError) as wrong:
        raise ValueError(
            f"{pattern!r} is no regular expression in linear time, as RE2 reads it: {_said(wrong)}"
        ) from None


def of_bytes(pattern: str) -> BytesRegex:
    """`pattern` is of ASCII; escapes such as `\\xff` name other bytes."""
    return cast(BytesRegex, re2.compile(pattern.encode("ascii"), _options(re2.Options.Encoding.LATIN1)))


def as_bytes(text: str) -> bytes:
    """A byte for each character: what is not ASCII is `?`, so that what is looked for must have none."""
    return text.encode("ascii", "replace")


def _said(wrong: Exception) -> str:
    said = wrong.args[0] if wrong.args else wrong
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
