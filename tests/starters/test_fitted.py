"""A table gives up columns before a digit, whatever its rows and however narrow the terminal."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import UNLIMITED, SafeConsole

NUMBERS = st.one_of(
    st.integers(-(10**25), 10**25).map("{:,}".format),
    st.floats(0, 1e15).map("${:f}".format),
)
TEXTS = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("ab 一表👩🏽‍🚀\n\t\x1b")), max_size=40)
COLUMNS = st.lists(st.builds(Column, st.text("abc xyz", min_size=1), st.integers(1, 9), st.booleans()), max_size=6)


def printed(table: FittedTable, width: int) -> list[str]:
    file = io.StringIO()
    SafeConsole(file=file, width=width).print(table)
    return file.getvalue().splitlines()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│").split("│")]


@given(st.data(), COLUMNS, st.integers(1, 300))
def test_no_digit_of_a_number_is_ever_cut(data: st.DataObject, columns: list[Column], width: int) -> None:
    columns = [Column("name"), *columns, Column("sum", number=True)]
    rows = data.draw(
        st.lists(st.tuples(*(NUMBERS if column.number else TEXTS for column in columns)), min_size=1, max_size=5)
    )
    table = FittedTable(*columns)
    for row in rows:
        table.add_row(*row)
    lines = printed(table, width)
    hidden = lines[-1].startswith("not shown: ")
    found = [cell for line in lines for cell in cells(line)]
    assert all(row[-1] in found for row in rows)
    if not hidden:
        assert all(row[number] in found for row in rows for number, column in enumerate(columns) if column.number)
    if width >= 50:
        assert all(cell_len(line) <= width for line in lines if not line.startswith("not shown: "))


@given(st.lists(st.tuples(st.text("ab 一👍é", max_size=500), NUMBERS), min_size=1, max_size=5))
def test_off_a_terminal_each_row_is_a_line(rows: list[tuple[str, str]]) -> None:
    table = FittedTable(Column("text", rank=9), Column("number", rank=8, number=True))
    for row in rows:
        table.add_row(*row)
    lines = printed(table, UNLIMITED)[3:-1]
    assert [cells(line) for line in lines] == [[text.strip(), number] for text, number in rows]


def test_columns_go_in_the_order_of_their_rank() -> None:
    table = FittedTable(Column("first"), Column("b", rank=1), Column("c", rank=3), Column("d", rank=2))
    table.add_row("x" * 5, "y" * 5, "z" * 5, "w" * 5)
    shown = {width: cells(printed(table, width)[1].replace("┃", "│")) for width in (33, 32, 24, 16, 5)}
    assert shown == {
        33: ["first", "b", "c", "d"],
        32: ["first", "b", "d"],
        24: ["first", "b"],
        16: ["first"],
        5: ["f"],
    }
    assert printed(table, 24)[-1].startswith("not shown: c, d; ")


def test_without_rows_a_line_says_so() -> None:
    assert printed(FittedTable(Column("a"), empty="nothing is kept"), 80) == ["nothing is kept"]
