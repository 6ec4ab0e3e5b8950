"""Alerts are looked for on the real server: what is in Temporal, and what is in the stores."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client

from continuo.activities.alerting import Alerting
from continuo.authoring.library import Library
from continuo.config.alerts import Alerts
from continuo.config.events import Wanted
from continuo.config.settings import Settings, environment
from continuo.door.collecting import collect
from continuo.door.noticing import notice
from continuo.operations.alerts import Evaluated
from continuo.patterns import Call, Review
from continuo.protection.breaker import State, forced
from continuo.starters.commands.alerts import check, list_alerts
from continuo.starters.commands.events import list_events
from continuo.stores.board import Board
from continuo.stores.events import latest
from continuo.stores.opened import open_store
from continuo.stores.runs import Runs
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import Control, begin, job, until
from tests.workflows.test_dead_letter import FAILS, buried
from tests.workflows.test_review import decide, opened

pytestmark = pytest.mark.usefixtures("worker")

CONFIG = Alerts.model_validate(
    {
        "rules": {
            "letters": {"measure": "dead_letters", "above": 0},
            "reviews": {"measure": "reviews_overdue", "above": 0},
            "errors": {"measure": "error_rate", "above": 0, "least": 1},
            "hits": {"measure": "cache_hit_rate", "below": 2, "least": 1_000_000},
            "breakers": {"measure": "breakers_open", "above": 0},
            "queues": {"measure": "queue_age_s", "above": 10_000},
            "cost": {"measure": "cost_today_usd", "above": 1e9},
            "budgets": {"measure": "budgets_exceeded", "above": 1e9},
        }
    }
)


async def test_everything_is_measured_and_an_alert_recovers_when_its_cause_is_gone(
    client: Client, simulator: Control
) -> None:
    database, namespace, now = open_store(Settings(), environment()), await namespace_of(client), datetime.now(UTC)
    alerting = Alerting(Library(), client, namespace.id, database)
    await simulator.behave("sim-premium", error_rate=1.0)
    letter = await buried(client, job(FAILS))
    await Board(database).publish(forced(State(provider="somebody"), "open", "", now))
    await collect(client, Runs(database, namespace.id))

    result, fired = Evaluated(firing=0), set[str]()

    async def listed() -> bool:
        nonlocal result
        result = await alerting.evaluated(CONFIG, datetime.now(UTC))
        fired.update(result.fired)
        return {"letters", "errors", "breakers of somebody"} <= fired

    await until(listed)
    assert result.unmeasured == ()
    await letter.signal("discard", "")
    await letter.result()
    closed = forced(State(provider="somebody", version=1), "closed", "", now + timedelta(seconds=1))
    await Board(database).publish(closed)
    assert "breakers of somebody" in (await alerting.evaluated(CONFIG, datetime.now(UTC))).recovered
    # What it has put into the session's table is no alert of the shipped rules.
    assert set((await alerting.evaluated(Alerts(), datetime.now(UTC))).recovered) <= fired
    await database.aclose()


async def test_reviews_and_dead_letters_are_on_the_bus_once(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", error_rate=1.0)
    database, start = open_store(Settings(), environment()), datetime.now(UTC) - timedelta(seconds=5)
    letter = await buried(client, job(FAILS))
    review = await begin(client, job(Review(question="Is {input} right?", step=Call(model="mini"))))
    case = await opened(review)
    lost = letter.id.split("/")[1]

    async def types(run: str) -> list[str]:
        await notice(client, database, start)
        return [event.type for event in await latest(database, Wanted(), run, 50)]

    async def both() -> bool:
        return "review.opened" in await types(review.id) and "dead_letter.added" in await types(lost)

    await until(both)
    await decide(review, case, "edit", text="No.", note="a secret of ann")
    await review.result()

    async def decided() -> bool:
        return "review.decided" in await types(review.id)

    await until(decided)
    # The pool follows the runs.
    events = await latest(database, Wanted(types=("review.*",)), review.id, 50)
    assert [event.type for event in events] == ["review.opened", "review.decided"]
    assert events[1].data["decision"] == "edit"
    assert "ann" not in str(events)
    assert (await types(lost)).count("dead_letter.added") == 1
    await letter.signal("discard", "")
    await database.aclose()


async def test_the_commands_look_now_and_list_what_stands(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    code = await check(json=True)
    result = Evaluated.model_validate_json(capsys.readouterr().out)
    assert (code, result.unmeasured) == (int(result.firing > 0), ())
    assert await list_alerts() == 0
    shown = capsys.readouterr().out
    assert "daily-cost" in shown
    assert "above $100.00" in shown
    assert await list_events(limit=5, type=("run.*",), json=True) == 0
    for line in capsys.readouterr().out.splitlines():
        assert json.loads(line)["type"].startswith("continuo.run.")
    assert await list_events(limit=5) == 0
