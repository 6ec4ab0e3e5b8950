"""The journal of the weights of adaptive splits, and what is seen of their variants, on each store."""

from datetime import timedelta

from continuo.evaluation.adaptive import Seen, Shift
from continuo.evaluation.bandit import Share
from continuo.stores.database import Database
from continuo.stores.ratings import rate
from continuo.stores.runs import Runs
from continuo.stores.shifts import enter, prune_shifts, seen, shifts
from tests.continuo.stores.test_ratings import rating
from tests.continuo.stores.test_runs import BEGAN, done, row


def entry(number: int) -> Shift:
    return Shift(
        number=number,
        time=BEGAN + timedelta(days=number),
        action="shift",
        written={"a": 0.1, "b": 3.0},
        shares={"a": Share(weight=1 / 3, why="ünlike before"), "b": Share(weight=2 / 3, why="")},
    )


async def test_entries_are_numbered_once_and_the_newest_come_first(database: Database) -> None:
    assert await shifts(database, "p") == []
    assert [await enter(database, "p", entry(number)) for number in (1, 2, 2)] == [True, True, False]
    assert await enter(database, "other", entry(1))
    assert await shifts(database, "p") == [entry(2)]
    assert await shifts(database, "p", 5) == [entry(2), entry(1)]


async def test_old_entries_are_pruned_and_the_last_of_each_pattern_stays(database: Database) -> None:
    for pattern, number in (("p", 1), ("p", 2), ("p", 3), ("other", 1)):
        await enter(database, pattern, entry(number))
    later = BEGAN + timedelta(days=30)
    assert [await prune_shifts(database, later, dry_run=dry_run) for dry_run in (True, False, False)] == [2, 2, 0]
    assert await prune_shifts(database, BEGAN, dry_run=False) == 0
    assert await shifts(database, "p", 5) == [entry(3)]
    assert await shifts(database, "other", 5) == [entry(1)]


async def test_what_is_seen_goes_back_to_the_last_so_many_that_were_rated(database: Database) -> None:
    rows = [
        *(done(f"a{at}", at).model_copy(update={"variant": "a"}) for at in range(5)),
        done("b5", 5).model_copy(update={"variant": "b", "cost_usd": None}),
        row("a6", 6, status="failed", variant="a", cost_usd=9.0),
        row("a7", 7, status="cancelled", variant="a"),
        row("a8", 8, variant="a"),
        done("gone", 9).model_copy(update={"variant": "gone"}),
        done("shadow", 9, shadow_of="w-a1").model_copy(update={"variant": "a"}),
        done("other", 9, pattern="other").model_copy(update={"variant": "a"}),
    ]
    await Runs(database, "here").keep(rows)
    await rate(database, [rating(f"a{at}", value=1) for at in (0, 1, 3)])
    await rate(database, [rating("a1", rater="bob", value=0), *(rating(id) for id in ("gone", "other", "shadow"))])
    variants = {"a": 1.0, "b": 1.0}
    all_of_b = Seen(answered=1, failed=0, rated=0, quality=0, cost_usd=None)
    assert await seen(database, "support", variants, None, 10) == {"a": Seen(5, 1, 3, 2.5, 0.25), "b": all_of_b}
    assert await seen(database, "support", variants, None, 2) == {"a": Seen(4, 1, 2, 1.5, 0.25), "b": all_of_b}
    assert await seen(database, "support", variants, BEGAN + timedelta(seconds=4), 10) == {
        "a": Seen(1, 1, 0, 0.0, 0.25),
        "b": all_of_b,
    }
    assert await seen(database, "support", variants, BEGAN + timedelta(days=1), 10) == {}
