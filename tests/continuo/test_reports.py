"""What a report says of sums, whatever they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.authoring.prepare import validated
from continuo.config.catalog import load_catalog
from continuo.config.defaults import DEFAULTS
from continuo.config.tenants import Tenant
from continuo.errors import InputError
from continuo.messages import Usage
from continuo.money import NANO
from continuo.operations.reports import Query, Sums, baseline, costs, day_of, warning
from tests.continuo.stores.test_budgets import DAY

CATALOG = load_catalog(DEFAULTS / "catalog.toml")
DEAR, FREE, UNPRICED = (CATALOG.models[name] for name in ("sim-premium", "sim-free", "gpt-4-turbo"))

TOKENS = st.integers(0, 10**9)
USAGES = st.builds(Usage, input_tokens=TOKENS, output_tokens=TOKENS)


@st.composite
def some(draw: st.DrawFn) -> Sums:
    """The sums of a group of calls, as a ledger has them."""
    calls = draw(st.integers(1, 1000))
    unknown = draw(st.integers(0, calls))
    known, rest = (draw(USAGES) if count else Usage() for count in (calls - unknown, unknown))
    nanousd = draw(st.integers(0, 10**15)) if calls > unknown else 0
    return Sums(calls=calls, unknown=unknown, usage=known + rest, known=known, nanousd=nanousd)


@given(st.lists(some(), max_size=5))
def test_the_total_is_the_sum_of_its_rows_and_what_is_unknown_is_never_0(groups: list[Sums]) -> None:
    found = costs({(("model", str(number)),): sums for number, sums in enumerate(groups)}, DEAR)
    assert found.total.calls == sum(row.calls for row in found.rows)
    assert found.total.input_tokens == sum(row.input_tokens for row in found.rows)
    for row in (*found.rows, found.total):
        nothing_known = row.calls > 0 and row.unknown_calls == row.calls
        assert (row.spent_usd is None, row.saved_usd is None) == (nothing_known, nothing_known)
    if found.total.spent_usd is not None and found.total.saved_usd is not None:
        assert found.total.spent_usd == pytest.approx(sum(row.spent_usd or 0 for row in found.rows))
        assert found.total.saved_usd == pytest.approx(sum(row.saved_usd or 0 for row in found.rows), abs=1e-6)
    assert costs({(): Sums()}, UNPRICED).total.saved_usd is None


@given(USAGES)
def test_against_the_model_that_was_called_nothing_is_saved(usage: Usage) -> None:
    assert DEAR.price is not None
    sums = Sums(calls=1, usage=usage, known=usage, nanousd=round(DEAR.price.cost(usage) * NANO))
    assert sums.saved_usd(DEAR.price) == pytest.approx(0, abs=1e-5)
    assert sums.saved_usd(FREE.price) == -(sums.spent_usd() or 0)


@given(st.integers(0, 10**11), st.integers(0, 10**11), st.none() | st.floats(0, 50))
def test_what_is_used_and_what_remains_make_the_budget(spent: int, reserved: int, limit: float | None) -> None:
    day = day_of("acme", Tenant(daily_usd=limit), DAY, spent=spent, reserved=reserved, sums=Sums(), against=DEAR)
    if limit is None:
        assert (day.remaining_usd, day.utilisation, day.warning) == (None, None, None)
        return
    assert day.remaining_usd is not None
    assert day.utilisation is not None
    if (spent + reserved) / NANO <= limit:
        assert day.remaining_usd + day.spent_usd + day.reserved_usd == pytest.approx(limit, abs=1e-9)
    else:
        assert day.remaining_usd == 0
    assert (day.warning == "spent") == (day.utilisation >= 1)


@pytest.mark.parametrize(
    ("used", "level"),
    [(None, None), (0.69, None), (0.7, "70 %"), (0.89, "70 %"), (0.9, "90 %"), (0.99, "90 %"), (1.0, "spent")],
)
def test_a_warning_is_the_highest_level_reached(used: float | None, level: str | None) -> None:
    assert warning(used) == level


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "cost"}, "kind: Input should be 'costs' or 'budget'"),
        ({"kind": "costs", "since": "yesterday"}, "since: 'yesterday' is no day; write it as 2026-11-21"),
        ({"kind": "costs", "since": "2026-11-22", "until": "2026-11-21"}, "until: 2026-11-21 is before since, 2026"),
        ({"kind": "budget", "by": "day"}, "by: a budget is today's, by tenant; leave it out"),
        ({"kind": "costs", "tenant": ""}, "tenant: "),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else "",
)
def test_a_query_that_asks_nonsense_is_told_so(fields: dict[str, object], says: str) -> None:
    with pytest.raises(InputError) as caught:
        validated(Query, **fields)
    assert str(caught.value).startswith(says)


def test_the_model_that_is_compared_with_needs_no_key() -> None:
    assert baseline("gpt-6-astra", CATALOG, {}, simulated=True).id == "gpt-6-astra"
    assert baseline("premium", CATALOG, {}, simulated=True).id == "sim-premium"
