"""The benchmark itself runs; what it measures is never asserted."""

import asyncio
import sys

import pytest


async def test_the_benchmark_measures_each_case_beside_its_bare_twin(environ: pytest.MonkeyPatch) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks", "--quick"), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 0
    for case in ("one call", "fallback, third of three tiers", "saga of three steps"):
        assert out.decode().count(case) == 2
