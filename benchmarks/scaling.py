"""What one more branch costs, the more there are."""

from collections.abc import Sequence

from rich.table import Table

from benchmarks.cases import MODEL, wide
from benchmarks.measure import compared
from benchmarks.stage import PROMPT, Stage


async def scaling(stage: Stage, *, widths: Sequence[int], rounds: int) -> Table:
    """Medians of fan-outs into children of several widths, beside bare ones."""
    table = Table(
        "children", "bare", "a child", "continuo", "a child", "continuo / bare", title="aim: a child costs the same"
    )
    for width in widths:
        contestants = {
            "bare": stage.bare("BareFanOut", MODEL, PROMPT, width, True),
            "continuo": stage.continuo(wide(width)),
        }
        figures = await compared(contestants, rounds=rounds, singles=3, many=0)
        bare, ours = figures["bare"].median_ms, figures["continuo"].median_ms
        cells = (f"{ms:.{digits}f} ms" for total in (bare, ours) for ms, digits in ((total, 0), (total / width, 1)))
        table.add_row(str(width), *cells, f"{ours / bare:.2f}")
    return table
