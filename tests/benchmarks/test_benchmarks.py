"""The benchmark itself runs; what it measures is never asserted."""

import asyncio
import sys

import pytest


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_the_benchmark_measures_each_case_beside_its_bare_twin(environ: pytest.MonkeyPatch) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks", "--quick"), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 840)
    assert process.returncode == 0
    rows = [line for line in out.decode().splitlines() if line.startswith("│ ")]
    for case in ("one call", "fallback", "saga", "cascade of three", "ensemble", "fan-out", "five-deep nest"):
        assert sum(row.startswith(f"│ {case}") for row in rows) >= 2, case
    assert [row.count("%") for row in rows if "routed" in row or "behind a cache" in row] == [2, 2]
    assert sum(row.startswith(("│ 1 ", "│ 3 ")) and ("bare" in row or "continuo" in row) for row in rows) >= 4
    assert sum(row.startswith("│ 20 ") for row in rows) == 2
    assert any("waiting in batch" in row for row in rows)
