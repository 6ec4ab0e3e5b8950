"""`python -m benchmarks.evidence [FOLDER] [--quick]`: measures the claims, and writes them into docs/evidence.md."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from benchmarks.evidence.claim import Claim, markdown, written
from benchmarks.evidence.simulated import simulated
from benchmarks.evidence.tables import on_tables
from benchmarks.stage import stage
from continuo.temporal.leave import leave

PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"
app = App(name="evidence", help="Measure the claims of the patterns.")


async def measured(*, quick: bool) -> list[Claim]:
    async with stage() as place:
        return [claim async for claim in simulated(place, runs=20 if quick else 200, seconds=5 if quick else 30)]


@app.default
def main(
    folder: Path | None = None, *, page: Path = PAGE, quick: Annotated[bool, Parameter(negative=())] = False
) -> None:
    """Measure the claims, and write them into the page.

    Parameters
    ----------
    folder
        Public tables of what models answered; CONTINUO_EVIDENCE unless given. Without any they are left out.
    page
        The page with the parts that are written.
    quick
        Few runs, to see that it works.
    """
    folder = folder or (Path(os.environ["CONTINUO_EVIDENCE"]) if os.environ.get("CONTINUO_EVIDENCE") else None)
    if folder is None:
        print("public tables: left out; name their folder as CONTINUO_EVIDENCE")
    else:
        claims = list(on_tables(folder))
        print(markdown(claims))
        written(page, "tables", claims)
    claims = asyncio.run(measured(quick=quick))
    print(markdown(claims))
    written(page, "simulated", claims)
    leave(0)


app()
