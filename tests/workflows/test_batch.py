"""Batches on the real server: every item once, whatever fails, is stopped, or runs out of money."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.decisions.off_peak import off_peak
from continuo.door import Door, Request
from continuo.door.batches import Batches
from continuo.door.request import Line
from continuo.errors import InputError
from continuo.jobs import Context
from continuo.operations.batches import BatchRow, Origin, Terms, run_id, workflow_id
from continuo.patterns import Call, Retry, Step
from continuo.stores.batches import BatchStore
from continuo.stores.opened import open_store
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import Control, replay, until

pytestmark = pytest.mark.usefixtures("worker")

MID = Call(model="mid", retry=Retry(attempts=1))


class Place:
    """Batches of a tenant of its own."""

    def __init__(self, client: Client, store: BatchStore) -> None:
        self.client = client
        self.store = store
        self.batches = Batches(Door(client, Library()), store)
        self.tenant = f"t-{uuid4().hex[:8]}"

    async def begun(self, prompts: Sequence[str], step: Step = MID, id: str = "b", **terms: object) -> BatchRow:
        context = Context(pattern="test", tenant=self.tenant)
        given = Terms.model_validate({"step": Library().step(step), "context": context, **terms})
        lines = [Line(n, Request(pattern=step, name="test", prompt=prompt)) for n, prompt in enumerate(prompts, 1)]
        return await self.batches.submit(id, str(prompts), given, "items.jsonl", lines)

    async def ended(self, prompts: Sequence[str], step: Step = MID, id: str = "b", **terms: object) -> BatchRow:
        return await self.end(await self.begun(prompts, step, id, **terms))

    async def end(self, batch: BatchRow) -> BatchRow:
        return await asyncio.wait_for(self.batches.end(batch), 60)

    async def states(self, id: str = "b") -> list[str]:
        return [row["state"] for row in await self.store.results(self.tenant, id, 0, 1000)]

    def handle(self, id: str = "b") -> WorkflowHandle[object, object]:
        return self.client.get_workflow_handle(workflow_id(self.tenant, id))


@asynccontextmanager
async def batches(client: Client) -> AsyncIterator[Place]:
    database = open_store(Settings(), environment())
    yield Place(client, BatchStore(database, (await namespace_of(client)).id))
    await database.aclose()


@pytest.fixture
async def place(client: Client) -> AsyncIterator[Place]:
    async with batches(client) as place:
        yield place


def numbered(count: int) -> list[str]:
    return [f"Question {number}?" for number in range(1, count + 1)]


async def test_every_item_is_a_run_of_its_own_and_is_done_once(place: Place, simulator: Control) -> None:
    batch = await place.ended(numbered(12), window=4)
    assert (batch.state, batch.tally.done, batch.tally.waiting) == ("done", 12, 0)
    calls = await simulator.calls("sim-mid")
    assert len(calls) == 12
    assert batch.tally.cost_usd > 0
    run = await place.client.get_workflow_handle(run_id(place.tenant, "b", 3)).describe()
    assert (run.workflow_type, run.parent_id) == ("Call", workflow_id(place.tenant, "b"))
    assert (await place.ended(numbered(12), window=4)).tally == batch.tally
    assert len(await simulator.calls("sim-mid")) == 12
    await replay(place.client, workflow_id(place.tenant, "b"))


async def test_a_failed_item_is_kept_with_its_error_leaves_no_letter_and_is_run_again_alone(
    place: Place, simulator: Control
) -> None:
    await simulator.behave("sim-mid", status=503, error_message="on fire")
    batch = await place.ended(numbered(3))
    assert (batch.state, batch.tally.failed) == ("done", 3)
    rows = await place.store.results(place.tenant, "b", 0, 10)
    assert "on fire" in rows[0]["result"]
    letters = f"WorkflowType = 'DeadLetter' AND ContinuoTenant = '{place.tenant}'"
    assert (await place.client.count_workflows(letters)).count == 0
    await simulator.delete("/_sim/models")
    await simulator.delete("/_sim/calls")
    again = await place.end(await place.batches.rerun_failed(batch))
    assert (again.state, again.tally.done, again.tally.failed) == ("done", 3, 0)
    assert len(await simulator.calls("sim-mid")) == 3
    await place.end(await place.batches.rerun_failed(again))
    assert len(await simulator.calls("sim-mid")) == 3


async def test_a_stopped_batch_lets_what_is_under_way_end_and_goes_on_without_doing_it_again(
    place: Place, simulator: Control
) -> None:
    await simulator.behave("sim-mid", latency=0.5)
    batch = await place.begun(numbered(6), window=2)
    await under_way(simulator, 2)
    assert await place.batches.stop(batch)
    stopped = await place.end(batch)
    assert stopped.state == "stopped"
    assert 0 < stopped.tally.done < 6
    assert stopped.tally.failed == stopped.tally.cancelled == 0
    assert not await place.batches.stop(batch)
    done = await place.end(await place.batches.resume(stopped))
    assert (done.state, done.tally.done) == ("done", 6)
    assert len(await simulator.calls("sim-mid")) == 6


async def test_a_cancelled_batch_cancels_what_is_under_way_which_is_done_when_it_goes_on(
    place: Place, simulator: Control
) -> None:
    await simulator.behave("sim-mid", latency=60)
    batch = await place.begun(numbered(4), window=2)
    await under_way(simulator, 2)
    with pytest.raises(InputError, match="is running; stop it first"):
        await place.batches.resume(batch)
    await place.batches.stop(batch, now=True)
    cancelled = await place.end(batch)
    assert (cancelled.state, cancelled.tally.cancelled, cancelled.tally.waiting) == ("cancelled", 2, 2)
    await simulator.delete("/_sim/models")
    done = await place.end(await place.batches.resume(cancelled))
    assert (done.state, done.tally.done, done.tally.cancelled) == ("done", 4, 0)
    await replay(place.client, workflow_id(place.tenant, "b"))


async def test_no_item_is_begun_once_the_budget_is_spent_and_more_money_goes_on(
    place: Place, simulator: Control
) -> None:
    one = (await place.ended(["Question 1?"], id="one")).tally.cost_usd
    batch = await place.ended(numbered(9), window=5, budget_usd=4.5 * one)
    assert (batch.state, batch.tally.done, batch.tally.waiting) == ("spent", 5, 4)
    assert batch.tally.cost_usd == pytest.approx(5 * one, rel=0.01)
    more = await place.ended(numbered(9), window=5, budget_usd=100 * one)
    assert (more.state, more.tally.done) == ("done", 9)


async def test_a_history_is_bounded_and_items_under_way_survive_its_continuing_as_new(
    place: Place, simulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    await simulator.behave("sim-mid", latency=0.05)
    monkeypatch.setattr("continuo.operations.batches.MOST_EVENTS", 40)
    batch = await place.ended(numbered(18), window=3)
    assert (batch.state, batch.tally.done) == ("done", 18)
    assert len(await simulator.calls("sim-mid")) == 18
    runs = [run async for run in place.client.list_workflows(f"WorkflowId = '{place.handle().id}'")]
    assert len(runs) > 1
    for run in runs:
        history = await place.client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        assert len(history.events) < 90


async def test_a_terminated_batch_goes_on_and_what_it_had_begun_is_not_done_twice(
    place: Place, simulator: Control
) -> None:
    await simulator.behave("sim-mid", latency=1)
    batch = await place.begun(numbered(6), window=3)
    await under_way(simulator, 3)
    await place.handle().terminate("by hand")
    with pytest.raises(InputError, match="resume"):
        await place.end(batch)
    done = await place.ended(numbered(6), window=3)
    assert (done.state, done.tally.done) == ("done", 6)
    assert len(await simulator.calls("sim-mid")) == 6


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([(1, "Where?"), (4, " ")], r"items.jsonl:4: the prompt is empty"),
        ([], "items.jsonl has no items"),
    ],
    ids=["empty prompt", "no items"],
)
async def test_a_wrong_item_is_told_with_its_line_and_nothing_is_kept(
    place: Place, lines: list[tuple[int, str]], says: str
) -> None:
    given = Terms(step=Library().step(MID), context=Context(pattern="test", tenant=place.tenant))
    requests = [Line(line, Request(pattern=MID, prompt=prompt)) for line, prompt in lines]
    with pytest.raises(InputError, match=says):
        await place.batches.submit("b", "", given, "items.jsonl", requests)
    assert await place.store.listed(place.tenant, 10) == []


async def test_an_item_with_the_id_of_another_is_told_with_its_line(place: Place) -> None:
    given = Terms(step=Library().step(MID), context=Context(pattern="test", tenant=place.tenant))
    requests = [Line(line, Request(pattern=MID, prompt="Where?", id="same")) for line in (1, 3)]
    with pytest.raises(InputError, match=r"items.jsonl:3: id 'same' is that of item 1"):
        await place.batches.submit("b", "", given, "items.jsonl", requests)
    assert await place.store.listed(place.tenant, 10) == []


async def test_other_items_under_the_id_of_a_batch_are_refused(place: Place, simulator: Control) -> None:
    await place.ended(["Where?"])
    with pytest.raises(InputError, match="--id b: batch 'b' has other items"):
        await place.begun(["When?"])


async def test_items_begin_in_the_hours_alone(place: Place, simulator: Control) -> None:
    now = datetime.now(UTC)
    later = (now + timedelta(hours=2)).strftime("%H:%M")
    hours = off_peak(f"{later}-{(now + timedelta(hours=3)).strftime('%H:%M')}", "UTC")
    batch = await place.begun(["Where?"], off_peak=hours)

    async def waits() -> bool:
        events = (await place.handle().fetch_history()).events
        return any(event.event_type == EventType.EVENT_TYPE_TIMER_STARTED for event in events)

    await until(waits)
    assert await simulator.calls() == []
    await place.batches.stop(batch)
    assert (await place.end(batch)).state == "stopped"
    open_now = off_peak(f"{(now - timedelta(hours=1)).strftime('%H:%M')}-{later}", "UTC")
    assert (await place.ended(["Where?"], off_peak=open_now)).state == "done"


async def under_way(simulator: Control, count: int) -> None:
    async def seen() -> bool:
        return len(await simulator.calls("sim-mid")) >= count

    await until(seen)


async def test_a_batch_of_an_api_that_is_cancelled_while_it_is_loaded_begins_nothing(
    place: Place, simulator: Control
) -> None:
    context, origin = Context(pattern="test", tenant=place.tenant), Origin(api="openai", endpoint="/v1/embeddings")
    given = Terms(step=Library().step(MID), context=context, origin=origin)
    await place.store.create(place.tenant, "b", "", given.cancelled(datetime.now(UTC)))
    lines = [Line(1, Request(pattern=MID, prompt="Where?"))]
    batch = await place.batches.submit("b", "", given, "items.jsonl", lines)
    assert (batch.state, batch.tally.waiting, await simulator.calls()) == ("stopped", 1, [])
    assert (await place.batches.submit("b", "", given, "items.jsonl", lines)).state == "stopped"
    assert (await place.end(await place.batches.resume(batch))).tally.done == 1
