"""Longest common subsequences, by rows of bits: a row of the table is one whole number, and takes a few operations.

Bit j of a row is 0 where the longest common subsequence with the first j + 1 items is longer than with the first j.
"""

from collections.abc import Hashable, Sequence

Items = Sequence[Hashable]


def common(first: Items, second: Items) -> int:
    """How long the longest common subsequence is."""
    return len(second) - _rows(first, second)[-1].bit_count()


def places(first: Items, second: Items) -> list[int]:
    """Where in `first` the items of a longest common subsequence are, from the last to the first.

    Of several it is the one that is found from the end, leaving an item of `first` before one of `second`.
    """
    rows = _rows(first, second, keep=True)
    row, column, left = len(first), len(second), len(second) - rows[-1].bit_count()
    taken: list[int] = []
    while left:
        if first[row - 1] == second[column - 1]:
            row, column, left = row - 1, column - 1, left - 1
            taken.append(row)
        elif column - (rows[row - 1] & ((1 << column) - 1)).bit_count() < left:
            column -= 1
        else:
            row -= 1
    return taken


def _rows(first: Items, second: Items, keep: bool = False) -> list[int]:
    """The last row of the table, or with `keep` all of them."""
    where: dict[Hashable, int] = {}
    for place, item in enumerate(second):
        where[item] = where.get(item, 0) | 1 << place
    every = (1 << len(second)) - 1
    rows = [every]
    for item in first:
        row = rows[-1]
        if matching := row & where.get(item, 0):
            row = ((row + matching) | (row - matching)) & every
        if keep:
            rows.append(row)
        else:
            rows[0] = row
    return rows
