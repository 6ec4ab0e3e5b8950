"""Searching and reading the Markdown files of one folder, and none outside of it."""

import os
import re
from collections import Counter
from pathlib import Path

from pydantic import BaseModel

FOLDER = Path(os.environ.get("DOCUMENTS") or Path(__file__).parent.parent / "documents")

LINES = 200
"""Lines that are read at once at most."""


class Hit(BaseModel):
    document: str
    line: int
    text: str


def search(words: str, limit: int = 5) -> list[Hit]:
    """Find the lines of the documents that hold most of these words, the rarer ones before the others."""
    wanted = set(_words(words))
    lines = [
        (path.name, number, text)
        for path in sorted(FOLDER.glob("*.md"))
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]
    known = Counter(word for *_, text in lines for word in set(_words(text)))

    def score(text: str) -> float:
        return sum(1 / known[word] for word in wanted.intersection(_words(text)))

    ranked = sorted(lines, key=lambda line: -score(line[2]))[: max(1, limit)]
    return [Hit(document=name, line=number, text=text) for name, number, text in ranked if score(text)]


def read(document: str, line: int = 1, lines: int = 60) -> str:
    """Read a document by its name, so many lines from a line on."""
    names = [path.name for path in sorted(FOLDER.glob("*.md"))]
    if document not in names:
        raise ValueError(f"there is no document {document!r}; there are {', '.join(names)}")
    text = (FOLDER / document).read_text(encoding="utf-8").splitlines()
    start = max(1, line) - 1
    return "\n".join(text[start : start + min(lines, LINES)])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
