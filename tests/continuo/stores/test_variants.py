"""The runs of a split's variants with what was said of them, on each store."""

from datetime import timedelta

from continuo.evaluation.shadows import Beside, Pair
from continuo.evaluation.variants import LiveRun
from continuo.stores.database import Database
from continuo.stores.ratings import rate
from continuo.stores.runs import Runs
from continuo.stores.variants import live_runs, shadow_pairs
from tests.continuo.stores.test_ratings import rating
from tests.continuo.stores.test_runs import BEGAN, done, row


async def test_a_variants_runs_are_those_that_ended_with_the_mean_of_what_was_said_of_each(database: Database) -> None:
    rows = [
        *(done(name).model_copy(update={"variant": "a"}) for name in ("r1", "r2")),
        done("r3", 60).model_copy(update={"variant": "b", "cost_usd": None}),
        row("r4", status="timed_out", variant="a"),
        row("r5", status="cancelled", variant="a"),
        row("r6", variant="a"),
        done("r7", pattern="other").model_copy(update={"variant": "a"}),
        done("r8"),
        done("r9", 60, shadow_of="w-r1", workflow_id="w-r1.shadow.new"),
    ]
    await Runs(database, "here").keep(rows)
    await rate(database, [rating("r1", value=1), rating("r1", rater="bob", value=0), rating("r9", value=0.25)])
    answered = LiveRun(failed=False, cost_usd=0.25, latency_ms=1.5)
    found = await live_runs(database, "support", None)
    assert sorted(found["a", False], key=str) == sorted(
        [answered._replace(quality=0.5), answered, LiveRun(failed=True)], key=str
    )
    assert found["b", False] == [answered._replace(cost_usd=None)]
    assert found["new", True] == [answered._replace(quality=0.25)]
    later = await live_runs(database, "support", BEGAN + timedelta(seconds=60))
    assert {*found} == {("a", False), ("b", False), ("new", True)}
    assert {*later} == {("b", False), ("new", True)}


async def test_a_shadow_is_beside_its_run_with_what_the_same_raters_said_of_both(database: Database) -> None:
    copies = [("c1", "r1", "new"), ("c2", "r2", "new"), ("c3", "r1", "other")]
    rows = [
        *(done(id, 60, workflow_id=f"w-{of}.shadow.{name}", shadow_of=f"w-{of}") for id, of, name in copies),
        *(done(id, variant="now") for id in ("r1", "r2", "r3")),
        row("c4", status="failed", workflow_id="w-r3.shadow.new", shadow_of="w-r3"),
    ]
    await Runs(database, "here").keep(rows)
    said = {"ann": ("r1", 1), "bob": ("r1", 0), "cid": ("c1", 0)}
    ratings = [rating(run, rater=rater, value=value) for rater, (run, value) in said.items()]
    await rate(database, [*ratings, rating("c1", rater="ann", value=0.25), rating("c1", rater="bob", value=0.25)])
    pairs = {pair.id: pair for pair in await shadow_pairs(database, "support", "new", None)}
    plain = Beside(failed=False, cost_usd=0.25, latency_ms=1.5, quality=None)
    assert pairs == {
        "r1": Pair("r1", plain._replace(quality=0.5), plain._replace(quality=0.25)),
        "r2": Pair("r2", plain, plain),
        "r3": Pair("r3", plain, Beside(failed=True, cost_usd=None, latency_ms=None, quality=None)),
    }
    assert len(await shadow_pairs(database, "support", "new", BEGAN + timedelta(seconds=60))) == 2
