"""Events enter with what they tell of, on every SQL store."""

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from continuo.config.alerts import Rule
from continuo.config.events import Wanted
from continuo.config.tenants import Tenants
from continuo.decisions.alerts import Sample, evaluated
from continuo.jobs import CallRecord, Context, KeyTerms, Outcome
from continuo.messages import Usage
from continuo.operations.alerts import of_change
from continuo.operations.events import Event
from continuo.operations.runs import RunRow
from continuo.protection.breaker import State, forced, reset
from continuo.stores import events
from continuo.stores.alerts import alerts, cost_of, evaluate, exceeded, rates
from continuo.stores.board import Board
from continuo.stores.budgets import Budgets, Reservation
from continuo.stores.database import Connection, Database
from continuo.stores.journal import Journal
from continuo.stores.ledger import Paid, Settlement
from continuo.stores.runs import Runs

NOW = datetime.now(UTC)


def row(run: str = "run", **update: Any) -> RunRow:
    ended = {"status": "done", "ended": NOW, "served_by": "model", "cost_usd": 0.5}
    begun = {"run_id": run, "workflow_id": f"{run}-id", "tenant": "acme", "pattern": "support", "kind": "call"}
    return RunRow.model_validate({**begun, "started": NOW, **ended, **update})


def paid() -> Paid:
    record = CallRecord(path="a", model="mini", provider="p", status="ok", usage=Usage(input_tokens=3), cost_usd=0.25)
    return Paid(record=record, context=Context(tenant="acme", pattern="support", user="ada@example.com"))


async def numbered(database: Database) -> list[Event]:
    """All that is on the bus, numbered by one holder."""
    assert await events.number(database, "test", time.time(), 10)
    return await events.read_after(database, 0, 1000)


async def test_the_end_of_a_run_is_told_once_however_often_its_row_is_written(database: Database) -> None:
    runs = Runs(database, "namespace")
    error = "BadRequest: the text of ada@example.com"
    await runs.keep([row(status="running", ended=None), row("old", ended=NOW - timedelta(days=2))])
    assert await numbered(database) == []
    await runs.keep([row(), row("failed", status="failed", error=error, user="ada@example.com", metadata={"a": "b"})])
    await runs.keep([row(), row("gone", status="cancelled")])
    first, *others = await numbered(database)
    assert [(event.type, event.subject) for event in others] == [
        ("run.failed", "failed-id"),
        ("run.cancelled", "gone-id"),
    ]
    assert others[0].data["error"] == "BadRequest"
    assert "ada" not in str(others)
    cloud = first.cloud("/continuo")
    assert {name: cloud[name] for name in ("specversion", "id", "source", "type", "subject", "tenant")} == {
        "specversion": "1.0",
        "id": "run/run/ended",
        "source": "/continuo",
        "type": "continuo.run.completed",
        "subject": "run-id",
        "tenant": "acme",
    }
    assert datetime.fromisoformat(str(cloud["time"])) == NOW


async def test_an_answer_is_told_with_its_run_when_it_is_settled(database: Database) -> None:
    settlement = Settlement(
        identity="r/1",
        attempt=1,
        today=NOW.date(),
        paid=paid(),
        outcome=Outcome(text="x", served_by="model"),
        run="job",
    )
    for _ in range(2):
        await Journal(database).settle(settlement)
    [event] = await numbered(database)
    assert (event.type, event.subject, event.data["cost_usd"], event.data["model"]) == (
        "call.completed", "job", 0.25, "mini",
    )  # fmt: skip
    assert "ada" not in str(event)


async def test_what_is_not_written_is_not_told(database: Database) -> None:
    def write(connection: Connection) -> None:
        events.enter_events(connection, [Event(id="a", type="run.failed", subject="a", time=NOW)])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await database.write(write)
    assert await numbered(database) == []


async def test_each_change_of_a_breaker_is_told(database: Database) -> None:
    board, state = Board(database), State(provider="openai")
    opened = forced(state, "open", "by ada", NOW)
    closed = reset(opened, "by ada", NOW + timedelta(seconds=1))
    again = forced(closed, "open", "by ada", NOW + timedelta(seconds=2))
    for one in (opened, opened, again, closed):
        await board.publish(one)
    assert [event.type for event in await numbered(database)] == ["breaker.opened", "breaker.closed", "breaker.opened"]


async def test_a_budget_is_told_once_a_day_and_measured(database: Database) -> None:
    key = KeyTerms(id="key", daily_usd=0.5)
    day = Tenants().of("acme").day(NOW)

    def wanted(identity: str, usd: float, whose: KeyTerms | None = None, day: date = day) -> Reservation:
        return Reservation(identity=identity, attempt=1, tenant="acme", day=day, usd=usd, expires=9e9, key=whose)

    for number in range(3):
        assert await Budgets(database).reserve(wanted(f"a{number}", 2), limit=1.0, now=0) is not None
    assert await Budgets(database).reserve(wanted("b", 0.6, key), limit=1.0, now=0) is not None
    assert [(event.subject, event.data) for event in await numbered(database)] == [
        ("budget/acme", {"period": str(day), "limit_usd": 1.0}),
        ("budget/acme/key", {"period": str(day), "limit_usd": 0.5}),
    ]
    assert await exceeded(database, Tenants(), NOW) == {"acme": Sample(2)}
    assert await exceeded(database, Tenants(), NOW + timedelta(days=1)) == {}


async def test_numbers_are_given_by_one_process_at_a_time_in_the_order_of_entry(database: Database) -> None:
    now = time.time()

    async def enter(name: str) -> None:
        event = Event(id=name, type="run.failed", subject=name, time=NOW)
        await database.write(lambda connection: events.enter_events(connection, [event]))

    await enter("b")
    await enter("a")
    both = await asyncio.gather(*(events.number(database, holder, now, 10) for holder in ("one", "two")))
    assert sorted(both) == [False, True]
    await enter("c")
    leader, other = ("one", "two") if both[0] else ("two", "one")
    assert not await events.number(database, other, now + 9, 10)
    assert await events.number(database, other, now + 11, 10)
    assert not await events.number(database, leader, now + 12, 10)
    assert [(event.id, event.seq) for event in await events.read_after(database, 0, 10)] == [
        ("b", 1),
        ("a", 2),
        ("c", 3),
    ]
    # The numbers go on where all events are gone.
    assert await events.prune_events(database, now + 60, dry_run=True) == 3
    assert await events.prune_events(database, now + 60, dry_run=False) == 3
    await enter("d")
    assert await events.number(database, other, now + 13, 10)
    assert [event.seq for event in await events.read_after(database, 0, 10)] == [4]
    assert (await events.begin(database, "events/late")).seq == 4


async def test_events_are_listed_by_type_tenant_pattern_and_run(database: Database) -> None:
    await Runs(database, "n").keep(
        [row("a"), row("b", tenant="zeta"), row("c", status="failed"), row("d", pattern="x")]
    )
    await numbered(database)

    async def subjects(run: str | None = None, **wanted: Any) -> list[str]:
        return [event.subject for event in await events.latest(database, Wanted(**wanted), run, 2)]

    assert await subjects() == ["c-id", "d-id"]
    assert await subjects(types=("run.*", "breaker.opened"), tenants=("zeta",)) == ["b-id"]
    assert await subjects(types=("run.failed",)) == ["c-id"]
    assert await subjects(patterns=("x",)) == ["d-id"]
    assert await subjects("a-id") == ["a-id"]


async def test_an_alert_is_kept_with_its_event_and_survives_a_restart(database: Database) -> None:
    rules = {"letters": Rule(measure="dead_letters", above=0)}

    async def look(value: float) -> None:
        await evaluate(
            database,
            lambda before: evaluated(rules, {"letters": {"": Sample(value)}}, before, NOW),
            lambda change: of_change(change, rules[change.alert.rule]),
        )

    for value in (1, 2, 0, 3):
        await look(value)
    assert [(event.type, event.data["incident"]) for event in await numbered(database)] == [
        ("alert.fired", 1), ("alert.recovered", 1), ("alert.fired", 2),
    ]  # fmt: skip
    [alert] = await alerts(database)
    assert (alert.firing, alert.incident, alert.value, alert.since) == (True, 2, 3, NOW)


async def test_costs_and_rates_are_those_of_today_and_of_the_window(database: Database) -> None:
    settlement = Settlement(identity="r/1", attempt=1, today=NOW.date(), paid=paid())
    await Journal(database).settle(settlement)
    assert await cost_of(database, NOW.date().isoformat()) == Sample(0.25)
    assert await cost_of(database, "2020-01-01") == Sample(0)
    await Runs(database, "n").keep(
        [row("a"), row("b", served_by="cache"), row("c", status="failed"), row("d", ended=NOW - timedelta(hours=2))]
    )
    assert await rates(database, "n", NOW - timedelta(hours=1)) == {"support": (3, 2, 1)}
