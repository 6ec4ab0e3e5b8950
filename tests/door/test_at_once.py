"""What the door answers without a workflow is what a workflow would have answered."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.door import Door, Request
from continuo.door.answered import Answered
from continuo.door.at_once import AtOnce
from continuo.door.noting import MOST, Noting, noting
from continuo.jobs import Context, Outcome
from continuo.operations.audit import Entry
from continuo.operations.runs import RunQuery, RunRow
from continuo.patterns import Cached, Call, Deadline, Fallback, Route, Step, Template
from continuo.patterns.choices import BudgetUse, Intent, Length, Preference, Semantic
from continuo.stores.cache import Cache
from continuo.stores.database import StoreUnavailable
from continuo.stores.opened import open_cache, open_store
from continuo.stores.runs import Runs, listed
from continuo.testing.processes import Control

pytestmark = pytest.mark.usefixtures("worker")

MINI, HELLO = Cached(Call(model="mini")), Template(text="Hello.")
BY_LENGTH = Length(local=3, mini=5)
ACME = Context(tenant="acme", user="ada")


@pytest.fixture
def door(client: Client) -> Door:
    return Door(client, Library())


@pytest.fixture
async def cache(environ: pytest.MonkeyPatch) -> AsyncIterator[Cache]:
    cache = open_cache(Settings(), environment())
    yield cache
    await cache.aclose()


@pytest.fixture
async def runs(environ: pytest.MonkeyPatch) -> AsyncIterator[Runs]:
    store = open_store(Settings(), environment())
    yield Runs(store, "at-once")
    await store.aclose()


async def at_once(door: Door, cache: Cache, runs: Runs, request: Request, context: Context = ACME) -> Answered | None:
    async with noting(runs, cache) as notes:
        return await AtOnce(cache, notes).answer(await door.check(request, context))


def told(outcome: Outcome) -> Outcome:
    """The outcome without what is of its run alone."""
    names = tuple(point.name for point in outcome.checkpoints)
    own = {"latency_ms": None, "workflow_id": None, "run_id": None, "checkpoints": (), "reasons": names}
    return outcome.model_copy(update=own)


@pytest.mark.parametrize(
    "step",
    [
        MINI,
        Route(by=BY_LENGTH, branches={"local": HELLO, "mini": HELLO, "premium": MINI}),
        Route(by=BY_LENGTH, branches={"local": MINI, "mini": MINI, "premium": HELLO}),
        HELLO,
    ],
    ids=["cached", "route to a cache", "route to a template", "template"],
)
async def test_the_door_tells_what_a_run_tells(
    door: Door, cache: Cache, runs: Runs, simulator: Control, step: Step
) -> None:
    request = Request(pattern=step, name="asked", prompt=f"What is {uuid4()}?")
    await (await door.submit(request, ACME)).result()
    run = await (await door.submit(request, ACME)).result()
    answered = await at_once(door, cache, runs, request)
    assert answered is not None
    assert isinstance(run, Outcome)
    assert told(answered.outcome) == told(run)
    assert len(await simulator.calls()) <= 1


@pytest.mark.parametrize(
    "step",
    [
        MINI,
        Call(model="mini"),
        Cached(Call(model="mini"), semantic=Semantic(model="embed")),
        Fallback(steps=(Call(model="mini"), HELLO)),
        Route(by=BudgetUse(), branches={"premium": HELLO, "mid": HELLO, "free": HELLO}),
        Route(by=Intent(step=Call(model="mini")), branches={"one": HELLO, "two": HELLO}, default="one"),
        Route(by=Preference(), branches={"cost": MINI, "speed": MINI, "quality": MINI}),
        Deadline(HELLO, limit=5),
    ],
    ids=["unknown answer", "call", "meaning", "fallback", "budget", "intent", "route to a miss", "deadline"],
)
async def test_what_takes_a_run_is_left_to_it_and_nothing_is_asked(
    door: Door, cache: Cache, runs: Runs, simulator: Control, step: Step
) -> None:
    request = Request(pattern=step, prompt=f"What is {uuid4()}?")
    assert await at_once(door, cache, runs, request) is None
    assert await simulator.calls() == []


async def test_an_answer_of_one_tenant_is_none_of_another(door: Door, cache: Cache, runs: Runs) -> None:
    request = Request(pattern=MINI, prompt=f"What is {uuid4()}?")
    await (await door.submit(request, ACME)).result()
    assert await at_once(door, cache, runs, request) is not None
    assert await at_once(door, cache, runs, request, Context(tenant="globex")) is None


async def test_it_is_in_the_table_of_runs_and_the_cache_knows_how_often_it_served(
    door: Door, cache: Cache, runs: Runs
) -> None:
    tenant = f"t{uuid4().hex}"
    request = Request(pattern=MINI, name="faq", prompt="What is it?")
    context = Context(tenant=tenant, user="ada")
    first = await (await door.submit(request, context)).result()
    assert isinstance(first, Outcome)
    async with noting(runs, cache) as notes:
        checked = await door.check(request, context)
        answers = [await AtOnce(cache, notes).answer(checked) for _ in range(3)]
    store = open_store(Settings(), environment())
    rows = [row for row in await listed(store, RunQuery(tenant=tenant)) if row.served_by == "cache"]
    await store.aclose()
    assert {row.run_id for row in rows} == {answer.id for answer in answers if answer} != set()
    for row in rows:
        assert (row.pattern, row.kind, row.status, row.user) == ("faq", "cached", "done", "ada")
        assert (row.cost_usd, row.saved_usd) == (0.0, first.cost_usd)
    [entry] = await cache.entries(tenant, 0.0)
    assert entry["hits"] == 3


class Away:
    """A store, or a cache, that cannot be used until it is `back`."""

    def __init__(self) -> None:
        self.back = False
        self.kept: list[RunRow] = []

    async def keep(self, rows: list[RunRow], entries: list[Entry]) -> None:
        if not self.back:
            raise StoreUnavailable("gone")
        self.kept.extend(rows)

    async def find(self, key: str, now: float) -> Outcome | None:
        raise StoreUnavailable("gone")


async def test_a_cache_that_is_away_leaves_the_answer_to_a_run(
    door: Door, runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    away: Any = Away()
    assert await at_once(door, away, runs, Request(pattern=MINI, prompt="What is it?")) is None
    assert "the cache cannot be read at the door" in caplog.text


async def test_rows_wait_for_a_store_that_is_away_and_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    away: Any = Away()
    notes = Noting(away, away)
    row: Any = "a row"
    for _ in range(MOST + 2):
        notes.note(row, row)
    assert not await notes.write()
    away.back = True
    assert await notes.write()
    assert len(away.kept) == MOST
    assert "2 answers and refusals of the door were not kept" in caplog.text
