"""A table that fits the terminal: columns go before a digit of a number does; off a terminal it is whole."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from continuo.starters.console.terminal import shown


@dataclass(frozen=True)
class Column:
    """A column of texts, which may take several lines, or of numbers, which may not.

    Where there is no room for all, that with the highest `rank` goes first; those of rank 0 stay.
    """

    name: str
    rank: int = 0
    number: bool = False


class FittedTable:
    """Rows below `columns`; without any, `empty` is printed. `note` stands below the rows."""

    def __init__(self, *columns: Column, empty: str = "", note: str = "") -> None:
        self.columns = columns
        self._empty = empty
        self._note = note
        self._rows: list[tuple[Text, ...]] = []
        self._total: tuple[Text, ...] | None = None

    def add_row(self, *cells: str | Text) -> None:
        self._rows.append(_texts(cells))

    def set_total(self, *cells: str | Text) -> None:
        """The row of sums, which is last and set apart."""
        self._total = _texts(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = [*self._rows, *([self._total] if self._total else [])]
        if not rows:
            yield Text(self._empty)
            return
        cells = [[Text(column.name), *(row[number] for row in rows)] for number, column in enumerate(self.columns)]
        widths = fitted(self.columns, cells, options.max_width)
        table = Table()
        for number, width in widths.items():
            column = self.columns[number]
            table.add_column(
                column.name,
                justify="right" if column.number else "left",
                width=width,
                no_wrap=column.number,
                overflow="fold",
            )
        for row in rows:
            if row is self._total:
                table.add_section()
            table.add_row(*(row[number] for number in widths))
        # A table that cannot be narrower is cut by nobody: the terminal wraps its lines.
        yield from console.render(table, options.update(width=max(options.max_width, _outer(widths.values()))))
        if self._note:
            yield Text(self._note)
        if hidden := [column.name for number, column in enumerate(self.columns) if number not in widths]:
            yield Text(f"not shown: {', '.join(hidden)}; a wider terminal, or a file or pipe, shows all")


def fitted(columns: Sequence[Column], cells: Sequence[Sequence[Text]], width: int) -> dict[int, int]:
    """The columns, by their number, that a table of `width` cells has room for, and the cells that each gets.

    A column goes before a word of another is broken, unless the word is longer than a third of the table.
    """
    natural = [max(cell_len(line) for text in column for line in text.plain.split("\n")) for column in cells]
    words = [max(cell_len(word) for text in column for word in text.plain.split() or [""]) for column in cells]
    # What each needs at least: a number all of itself.
    least = [
        whole if column.number else max(1, min(word, width // 3))
        for column, whole, word in zip(columns, natural, words, strict=True)
    ]
    kept = list(range(len(columns)))
    for number in sorted(kept, key=lambda number: -columns[number].rank):
        if columns[number].rank and _outer(least[one] for one in kept) > width:
            kept.remove(number)
    texts = [number for number in kept if not columns[number].number]
    room = width - _outer(0 if number in texts else natural[number] for number in kept)
    if sum(least[number] for number in texts) > room:
        least = [1] * len(columns)

    def capped(number: int, level: int) -> int:
        return max(least[number], min(natural[number], level))

    # The widest texts give way until all fit.
    level = bisect_right(range(1, width + 1), room, key=lambda level: sum(capped(one, level) for one in texts))
    return {number: capped(number, level) if number in texts else natural[number] for number in kept}


def _outer(widths: Iterable[int]) -> int:
    """The width of a table of such columns: each has a border and a space at both sides."""
    return 1 + sum(width + 3 for width in widths)


def _texts(cells: Sequence[str | Text]) -> tuple[Text, ...]:
    """The cells as they will be shown, so that they are measured as that."""
    return tuple(Text(shown(cell).expandtabs()) if isinstance(cell, str) else cell for cell in cells)
