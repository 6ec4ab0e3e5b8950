"""Batches that are run again and again, by a real server's schedules."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.decisions.off_peak import OffPeak, off_peak
from continuo.door import Door, Request
from continuo.door.batches import Batches
from continuo.door.request import Line
from continuo.errors import InputError
from continuo.jobs import Context
from continuo.messages import Message, ModelRequest
from continuo.operations.batches import TYPE, AtProvider, BatchRow, Item, Origin, Position, Terms, workflow_id
from continuo.operations.schedules import Times
from continuo.testing.processes import Control, replay, until
from continuo.workers.pool import pool
from tests.door.test_schedules import RARELY, Place, opened_place
from tests.workflows.test_batch import under_way

ORIGIN = Origin(api="openai", endpoint="/v1/chat/completions")

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
async def place(client: Client) -> AsyncIterator[Place]:
    async with opened_place(client) as place:
        yield place


async def planned(
    place: Place,
    library: Library,
    asked: Sequence[str | Request],
    pattern: str = "model:mid",
    hours: OffPeak | None = None,
    times: Times = RARELY,
    at_provider: AtProvider | None = None,
    **more: object,
) -> str:
    context = Context.model_validate({"tenant": place.tenant, "pattern": pattern, **more})
    terms = Terms(step=library.step(pattern), context=context, off_peak=hours, at_provider=at_provider)
    requests = [Request(pattern=pattern, prompt=one) if isinstance(one, str) else one for one in asked]
    lines = [Line(number, request) for number, request in enumerate(requests, 1)]
    await place.schedules.create_batch("nightly", terms, "digest", "items.jsonl", lines, times, replace=True)
    place.names.append("nightly")
    return "nightly"


async def kept(place: Place) -> dict[str, list[BatchRow]]:
    """Its batches, by their state."""
    rows = await place.store.listed(place.tenant, 100)
    return {
        state: [row for row in rows if row.state == state]
        for state in ("planned", "loading", "running", "cancelled", "done")
    }


async def test_each_time_is_a_batch_of_its_own_whose_items_are_done_once(place: Place, simulator: Control) -> None:
    name = await planned(place, Library(), ["One?", "Two?", "Three?"], user="ann")
    for count in (1, 2):
        await place.schedules.trigger(place.tenant, name)
        rows = await place.fired(name, count)
        await until(partial(another_second, rows[0].scheduled))
    done = (await kept(place))["done"]
    assert [(row.tally.done, row.tally.waiting, row.pattern) for row in done] == [(3, 0, "model:mid")] * 2
    assert {row.id for row in done} == {row.run for row in rows}
    assert all(row.tally.cost_usd > 0 for row in done)
    assert len(await simulator.calls("sim-mid")) == 6
    [waits] = (await kept(place))["planned"]
    assert waits.tally.waiting == 3
    with pytest.raises(InputError, match="has the items of a schedule"):
        await Batches(place.door, place.store).resume(waits)
    for row in done:
        batch = await place.client.get_workflow_handle(workflow_id(place.tenant, row.id)).describe()
        assert batch.parent_id is not None
    assert batch.parent_id is not None
    await replay(place.client, batch.parent_id)
    await place.schedules.delete(place.tenant, name)
    assert (await kept(place))["planned"] == []


async def another_second(than: datetime) -> bool:
    """Those that are triggered in one second have one id."""
    return datetime.now(UTC).replace(microsecond=0) > than


async def test_its_items_begin_in_the_hours_that_are_off_peak(place: Place, simulator: Control) -> None:
    now = datetime.now(UTC)
    later = off_peak(f"{now + timedelta(hours=3):%H:%M}-{now + timedelta(hours=5):%H:%M}", "UTC")
    name = await planned(place, Library(), ["One?"], hours=later)
    await place.schedules.trigger(place.tenant, name)
    await until(lambda: waits_for_a_time(place))
    [batch] = (await kept(place))["running"]
    assert (await place.store.terms(place.tenant, batch.id)).off_peak == later
    assert batch.tally.waiting == 1
    assert await simulator.calls("sim-mid") == []
    assert await Batches(place.door, place.store).stop(batch)
    await place.fired(name)


async def test_what_takes_its_place_cancels_a_batch_with_its_items(place: Place, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    name = await planned(place, Library(), ["One?", "Two?"], times=RARELY.model_copy(update={"overlap": "cancel"}))
    await place.schedules.trigger(place.tenant, name)
    await under_way(simulator, 2)
    await simulator.delete("/_sim/models")
    await place.schedules.trigger(place.tenant, name)
    await place.fired(name, status="canceled")
    await place.fired(name)
    assert [row.tally.done for row in (await kept(place))["done"]] == [2]
    # Where both were in one second they have one id, and the second goes on with what was cancelled.
    assert [row.tally.cancelled for row in (await kept(place))["cancelled"]] in ([], [2])


async def waits_for_a_time(place: Place) -> bool:
    for batch in (await kept(place))["running"]:
        with suppress(RPCError):
            history = await place.client.get_workflow_handle(workflow_id(place.tenant, batch.id)).fetch_history()
            return any(event.event_type == EventType.EVENT_TYPE_TIMER_STARTED for event in history.events)
    return False


async def test_a_copy_that_was_cut_short_is_made_anew_a_whole_one_stays_and_a_cancelled_one_never_begins(
    place: Place,
) -> None:
    await planned(place, Library(), ["One?", "Two?"])
    [waits] = (await kept(place))["planned"]
    store, batches = place.store, Batches(place.door, place.store)
    await store.create(place.tenant, "copy", "digest", await store.terms(place.tenant, waits.id))
    await store.add(
        place.tenant, "copy", [Item(number=7, request=ModelRequest(messages=(Message(role="user", content="?"),)))]
    )
    for _ in range(2):
        await batches.due(place.tenant, waits.id, "copy")
        assert [one.number for one in (await store.page(place.tenant, "copy", 0, 9)).items] == [1, 2]
        await store.put(place.tenant, "copy", "done")
    [copy] = (await kept(place))["done"]
    assert (copy.id, copy.digest) == ("copy", waits.digest)
    terms = (await store.terms(place.tenant, waits.id)).model_copy(update={"origin": ORIGIN})
    await store.note(place.tenant, "copy", terms.cancelled(datetime.now(UTC)))
    await place.client.execute_workflow(
        TYPE, Position(tenant=place.tenant, id="copy"), id=workflow_id(place.tenant, "copy"), task_queue="standard"
    )
    assert [row.tally.waiting for row in await store.listed(place.tenant, 9) if row.state == "stopped"] == [2]
    await store.create(place.tenant, "theirs", "another", await store.terms(place.tenant, waits.id))
    with pytest.raises(InputError, match="has other items"):
        await batches.due(place.tenant, waits.id, "theirs")
    await store.drop(place.tenant, waits.id)
    with pytest.raises(InputError, match="kept no more; create it again"):
        await batches.due(place.tenant, waits.id, "other")


async def test_another_batch_takes_the_place_of_the_planned_one(place: Place) -> None:
    name = await planned(place, Library(), ["One?", "Two?"])
    with pytest.raises(InputError, match="nosuch"):
        await planned(place, Library(), ["One?"], "model:nosuch")
    with pytest.raises(InputError, match=r"items\.jsonl:2"):
        await planned(place, Library(), ["One?", " "])
    assert [row.tally.waiting for row in (await kept(place))["planned"]] == [2]
    await planned(place, Library(), ["Three?"])
    assert [row.tally.waiting for row in (await kept(place))["planned"]] == [1]
    await place.schedules.trigger(place.tenant, name)
    await place.fired(name)
    assert [row.tally.done for row in (await kept(place))["done"]] == [1]


async def test_the_pattern_of_the_items_is_what_it_is_by_then(place: Place, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "daily.yaml"
    file.write_text("description: Daily.\npattern: {kind: template, text: before}\n", encoding="utf-8")
    settings = Settings(patterns=tmp_path)
    async with pool(client, Library(settings), "batch", 2):
        here = Place(client, Library(settings), place.store, place.tenant)
        name = await planned(here, Library(settings), ["One?"], "daily", priority="batch")
        file.unlink()

        async def refused() -> bool:
            await here.schedules.trigger(here.tenant, name)
            times = (await here.schedules.show(here.tenant, name)).times
            return any("unknown pattern 'daily'" in (one.why or "") for one in times)

        await until(refused, every=1)
        assert (await kept(place))["loading"] == []
        await here.cleared()


async def test_each_time_may_be_a_batch_of_the_provider_s_own_as_long_as_it_asks_one_model(
    place: Place, simulator: Control, tmp_path: Path
) -> None:
    file = tmp_path / "daily.yaml"
    file.write_text("description: Daily.\npattern: {kind: call, model: sim-mid}\n", encoding="utf-8")
    library, half = Library(Settings(patterns=tmp_path)), AtProvider()
    hours = off_peak("22:00-06:00", "UTC")
    for pattern, refused, says in (
        ("model:mid", hours, "off_peak: a provider does"),
        ("support", None, "asks one model"),
    ):
        with pytest.raises(InputError, match=says):
            await planned(place, Library(), ["One?"], pattern, refused, at_provider=half)
    name = await planned(place, Library(), ["One?", "Two?"], at_provider=half)
    await place.schedules.trigger(place.tenant, name)
    await place.fired(name)
    [done] = (await kept(place))["done"]
    assert done.tally.done == 2
    assert [call["protocol"] for call in await simulator.calls("sim-mid")] == ["openai batch"] * 2
    batch = await place.client.get_workflow_handle(workflow_id(place.tenant, done.id)).describe()
    assert (batch.workflow_type, batch.parent_id is not None) == ("ProviderBatch", True)
    await replay(place.client, batch.parent_id or "")
    here = Place(place.client, library, place.store, place.tenant)
    await planned(here, library, ["One?"], "daily", at_provider=half)
    [waits] = (await kept(place))["planned"]
    file.write_text("description: Daily.\npattern: {kind: template, text: by then}\n", encoding="utf-8")
    by_then = Batches(Door(place.client, Library(Settings(patterns=tmp_path))), place.store)
    with pytest.raises(InputError, match="'daily' is a template, and a provider's batch asks one model"):
        await by_then.due(place.tenant, waits.id, "other")
    assert await place.store.get(place.tenant, "other") is None
