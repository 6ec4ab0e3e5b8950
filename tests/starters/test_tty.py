"""What a person sees: on terminals of several widths, on pipes, with and without colours."""

import asyncio
import re
from pathlib import Path

import pytest

from continuo.testing.processes import Control
from tests.support.commands import anew, continuo
from tests.support.tty import on_a_terminal

COLOUR = re.compile(r"\x1b\[[\d;]*3\d[\d;]*m")
MOVE = re.compile(r"\x1b\[(?:\d*[A-K]|\?25[lh])")
STYLE = re.compile(r"\x1b\[[\d;]*m")
WIDE = """
description: Twelve branches of two steps each.
pattern:
  kind: fan_out
  inline: true
  branches:
"""
BRANCH = """
    b{number}:
      kind: fan_out
      inline: true
      branches: {{quick: {{kind: template, text: x}}, slow: {{kind: call, model: sim-mid}}}}
"""


@pytest.mark.parametrize("columns", [40, 200])
@pytest.mark.usefixtures("environ")
async def test_a_table_fits_its_terminal_and_keeps_its_prices(columns: int) -> None:
    code, text = await on_a_terminal("models", columns=columns)
    lines = STYLE.sub("", text).split("\n")
    table = [line for line in lines if line.startswith(("┏", "┃", "┡", "│", "└"))]
    assert code == 0
    assert {len(line) for line in table} == {len(table[0])}
    assert len(table[0]) <= columns
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in table]
    [row] = [row for row in cells if row[0] == "sim-premium"]
    assert [cell for cell in row if re.fullmatch(r"\d+", cell)][:2] == ["10", "10"]
    assert ("not shown: " in text) == (columns < 200)


async def test_no_price_of_an_explained_pattern_is_lost_on_a_terminal_or_a_pipe(environ: pytest.MonkeyPatch) -> None:
    piped = await continuo("explain", "customer-support")
    assert "  [6 calls, $0.045000, 12 min 7 s]\n" in piped.out
    _, text = await on_a_terminal("explain", "customer-support")
    lines = text.split("\n")[:-4]
    assert all(len(line) <= 80 for line in lines)
    words = " ".join(" ".join(line.strip("│├└─ ") for line in lines).split())
    assert words.count("[6 calls, $0.045000, 12 min 7 s]") == 1


@pytest.mark.usefixtures("worker")
async def test_a_tree_that_is_higher_than_the_terminal_says_what_it_does_not_show(
    simulator: Control, tmp_path: Path
) -> None:
    await simulator.behave("sim-mid", latency=2)
    path = tmp_path / "wide.yaml"
    path.write_text(WIDE + "".join(BRANCH.format(number=number) for number in range(12)), encoding="utf-8")
    code, text = await on_a_terminal("run", str(path), "hi", lines=12)
    assert code == 0, text
    assert re.search(r"… \d+ not shown: ", text)
    assert MOVE.search(text)
    assert COLOUR.search(text)
    end = STYLE.sub("", text[text.rindex("\x1b[2K") :])
    assert len(re.findall(r"✓ slow: sim-mid done", end)) == 12


@pytest.mark.usefixtures("worker", "simulator")
async def test_colours_are_for_terminals_unless_the_environment_says_otherwise() -> None:
    run = ("run", "support", "hi")
    (_, plain), piped, forced = await asyncio.gather(
        on_a_terminal(*run, NO_COLOR="1"), continuo(*run), anew(*run, FORCE_COLOR="1", TERM="xterm-256color")
    )
    assert not COLOUR.search(plain)
    assert "\x1b" not in piped.out + piped.err
    assert COLOUR.search(forced.err)
    assert not MOVE.search(forced.err)
    assert "\x1b" not in forced.out


async def test_what_is_wrong_is_red_on_a_terminal(environ: pytest.MonkeyPatch) -> None:
    code, text = await on_a_terminal("explain", "suport")
    assert (code, text) == (2, "\x1b[1;31merror\x1b[0m: unknown pattern 'suport'; did you mean 'support'?\n")
