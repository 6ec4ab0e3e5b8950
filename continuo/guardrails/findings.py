"""What a recogniser sees in a text."""

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Finding(NamedTuple):
    """A part of a text and its `kind`, in capitals, such as EMAIL; from `start` up to `end`, in characters."""

    kind: str
    start: int
    end: int


Recogniser = Callable[[str], Iterable[Finding]]
"""Gives the findings of a text in any order; they may overlap. It takes linear time and keeps nothing."""
