"""The benchmark itself runs; what it measures is never asserted."""

import os
from itertools import islice
from unittest.mock import patch

import pytest

from benchmarks.__main__ import side_by_side
from benchmarks.cases import cases
from benchmarks.stage import stage


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_the_benchmark_measures_a_case_beside_its_bare_twin(environ: pytest.MonkeyPatch) -> None:
    # The stage names its servers in the environment.
    with patch.dict(os.environ, CONTINUO_SANDBOX="0"):
        async with stage() as place:
            table = await side_by_side(place, islice(cases(place), 1), rounds=1, singles=2, many=5)
    case, contestant, *figures = [list(column.cells) for column in table.columns]
    assert case == ["one call"] * 4
    assert contestant == ["bare", "bare, no workflow", "continuo", "local"]
    assert all(all(column[1:4]) for column in figures)
