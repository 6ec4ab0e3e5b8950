import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.parts import PART, below, parts
from continuo.patterns import FanOut, Template
from continuo.patterns.choices import Merge


def wide(count: int) -> FanOut:
    merge = Merge(step=Template(text="merged"))
    branches = {f"b{number}": Template(text=str(number)) for number in range(count)}
    return FanOut(branches=branches, merge=merge, min_successes=1, branch_timeout=5, inline=True)


@given(st.integers(PART + 1, 3 * PART))
def test_the_parts_hold_every_branch_once_in_its_order_and_with_its_settings(count: int) -> None:
    step = wide(count)
    found = parts(step)
    assert [name for part in found.values() for name in part.branches] == list(step.branches)
    assert all(0 < len(part.branches) <= PART and not parts(part) for part in found.values())
    assert {(part.inline, part.branch_timeout) for part in found.values()} == {(True, 5)}
    assert list(below(step)) == [*found, "merge"]


@pytest.mark.parametrize("count", [1, PART])
def test_what_fits_into_one_workflow_is_not_cut(count: int) -> None:
    assert parts(wide(count)) == {}
    assert below(wide(count)) == wide(count).nested()
