from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.bounded import KEPT, MAX_CHARACTERS, bounded, folded, summed
from continuo.jobs import Account, Alternative, CallRecord, Checkpoint, Failure, Outcome, total_cost
from continuo.messages import Usage
from continuo.money import NANO

counts = st.integers(0, 10**6)
usages = st.just(Usage()) | st.builds(
    Usage, input_tokens=counts, output_tokens=counts, cached_tokens=counts, estimated=st.booleans()
)
calls = st.builds(
    CallRecord,
    path=st.sampled_from(["a", "a.b", "a.b.c", "ab", ""]),
    model=st.sampled_from(["m", "n"]),
    provider=st.sampled_from(["p", None]),
    status=st.sampled_from(["ok", "failed", "cancelled", "lost"]),
    attempts=st.none() | st.integers(1, 13),
    usage=usages,
    cost_usd=st.none() | st.integers(0, 10**12).map(lambda nanousd: nanousd / NANO),
)
some = st.lists(calls, max_size=20).map(tuple)
many = st.builds(lambda few, times: few * times, some, st.integers(1, 40))


def sums(found: tuple[CallRecord, ...]) -> tuple[int, Usage, float | None]:
    usage = sum((call.usage for call in found), Usage())
    return sum(call.count for call in found), usage, total_cost(found)


@given(some, some, st.data())
def test_sums_are_the_same_whatever_was_summed_before(
    some: tuple[CallRecord, ...], others: tuple[CallRecord, ...], data: st.DataObject
) -> None:
    parts = summed(some) + summed(others)
    assert sums(parts) == sums(some + others)
    assert sorted(map(repr, summed(parts))) == sorted(map(repr, summed(some + others)))
    assert sums(summed(data.draw(st.permutations(some)))) == sums(some)


@settings(max_examples=25)
@given(many)
def test_folding_keeps_count_usage_and_cost_and_is_done_once(many: tuple[CallRecord, ...]) -> None:
    found = folded(many)
    assert sums(found) == sums(many)
    assert folded(found) == found
    assert len(found) <= KEPT + len(summed(many))
    assert found == many or len(many) > KEPT


def test_failures_are_told_one_by_one_before_others() -> None:
    ok = CallRecord(path="a.b", model="m", status="ok", usage=Usage(input_tokens=1), cost_usd=0.1)
    failed = CallRecord(path="a.c", model="m", status="failed", error="no", attempts=3)
    found = folded((ok,) * 400 + (failed,) * 200)
    sums = {"count": 300, "usage": Usage(input_tokens=300), "cost_usd": 30.0}
    assert found[-1] == ok.model_copy(update=sums)
    assert [call.status for call in found[:-1]] == ["ok"] * 100 + ["failed"] * 200
    assert found[-2] == failed


def test_of_long_errors_as_many_are_told_as_fit() -> None:
    failed = CallRecord(path="a.b", model="m", status="failed", error="x" * (MAX_CHARACTERS // 10))
    assert [call.count for call in folded((failed,) * 20)] == [1] * 10 + [10]


def test_few_entries_stay_as_they_are() -> None:
    outcome = Outcome(text="x", served_by="model", outputs={"a": "1"}, reasons=("r",) * KEPT, missing=("b",))
    assert bounded(outcome) == outcome
    assert "omitted" not in bounded(outcome).to_json()


def test_of_many_entries_the_first_are_kept_and_the_rest_is_counted() -> None:
    names = tuple(f"b{number}" for number in range(1000))
    others = tuple(Alternative(member=name, text="x" * 100_000) for name in names)
    outputs = dict.fromkeys(names, "x" * 1000)
    outcome = Outcome(text="x", served_by="model", outputs=outputs, missing=names, alternatives=others)
    found = bounded(outcome)
    assert found.outputs == outputs
    assert found.missing == names[:KEPT]
    assert found.alternatives == others[: MAX_CHARACTERS // 100_000]
    assert found.omitted == {"missing": 1000 - KEPT, "alternatives": 1000 - MAX_CHARACTERS // 100_000}
    assert bounded(found) == found
    assert bounded(Failure(type="X", message="m", causes=names)).omitted == {"causes": 1000 - KEPT}


@pytest.mark.parametrize("count", [1, 1000])
def test_outputs_are_kept_up_to_a_size(count: int) -> None:
    outputs = {f"{number:04}": "x" * (MAX_CHARACTERS // count) for number in range(2 * count)}
    found = bounded(Account(outputs=outputs))
    assert sum(map(len, found.outputs.values())) <= MAX_CHARACTERS
    assert len(found.outputs) + found.omitted["outputs"] == 2 * count


def test_of_many_checkpoints_the_last_are_kept() -> None:
    time = datetime(2026, 11, 25, tzinfo=UTC)
    points = tuple(Checkpoint(name=f"step {number}", time=time) for number in range(1000))
    found = bounded(Account(checkpoints=points))
    assert found.checkpoints == points[-KEPT:]
    assert found.omitted == {"checkpoints": 1000 - KEPT}
