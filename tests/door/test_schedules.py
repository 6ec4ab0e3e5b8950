"""Requests that are made again and again, by a real server's schedules."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import (
    Client,
    ScheduleBackfill,
    ScheduleOverlapPolicy,
    WorkflowExecutionStatus,
    WorkflowHandle,
)

from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.door import Door, Request
from continuo.door.collecting import row_of
from continuo.door.schedules import Planned, Schedules
from continuo.errors import InputError
from continuo.jobs import Context, Outcome
from continuo.operations.schedules import FiredRow, ShownSchedule, Times, schedule_id
from continuo.patterns import Call, Pipeline, PipelineStep, Retry, Step, Template
from continuo.stores.batches import BatchStore
from continuo.stores.opened import open_store
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import Control, until
from continuo.workers.pool import pool
from tests.workflows.test_dead_letter import LetterHandle, content

pytestmark = pytest.mark.usefixtures("worker")

RARELY = Times(every=86_400.0)
MID = Call(model="mid", retry=Retry(attempts=1))


class Place:
    """The schedules of one tenant, which are deleted at the end."""

    def __init__(self, client: Client, library: Library, store: BatchStore, tenant: str | None = None) -> None:
        self.client = client
        self.store = store
        self.door = Door(client, library)
        self.schedules = Schedules(self.door, store)
        self.tenant = tenant or f"tenant-{uuid4().hex[:8]}"
        self.names: list[str] = []

    async def create(
        self, step: Step | str, times: Times = RARELY, name: str = "nightly", replace: bool = False, **context: object
    ) -> str:
        context = {"tenant": self.tenant, **context}
        planned = Planned(
            name=name, request=Request(pattern=step, prompt="How many?"), context=Context.model_validate(context)
        )
        await self.schedules.create(planned, times, replace=replace)
        self.names.append(name)
        return name

    async def fired(self, name: str, count: int = 1, status: str = "completed") -> list[FiredRow]:
        """Its last times, the newest first, once so many have ended in this way."""
        shown: ShownSchedule | None = None

        async def enough() -> bool:
            nonlocal shown
            shown = await self.schedules.show(self.tenant, name)
            return [one.status for one in shown.times].count(status) >= count

        await until(enough)
        assert shown is not None
        return [one for one in shown.times if one.status == status]

    def run(self, row: FiredRow) -> WorkflowHandle[object, Outcome]:
        return self.client.get_workflow_handle(row.run, result_type=Outcome)

    async def cleared(self) -> None:
        for name in self.names:
            with suppress(InputError):
                await self.schedules.delete(self.tenant, name)


@asynccontextmanager
async def opened_place(client: Client) -> AsyncIterator[Place]:
    database = open_store(Settings(), environment())
    place = Place(client, Library(), BatchStore(database, (await namespace_of(client)).id))
    yield place
    await place.cleared()
    await database.aclose()


@pytest.fixture
async def place(client: Client) -> AsyncIterator[Place]:
    async with opened_place(client) as place:
        yield place


async def test_each_time_is_a_run_as_any_other_with_an_id_of_its_own(place: Place, simulator: Control) -> None:
    await simulator.behave("sim-mid", text="Seven.")
    name = await place.create(MID, Times(every=1.0), user="ann")
    rows = await place.fired(name, 2)
    assert len({row.run for row in rows}) == len(rows)
    for row in rows[:2]:
        assert (await place.run(row).result()).text == "Seven."
        known = await row_of(place.client, await place.run(row).describe())
        assert known is not None
        assert (known.tenant, known.user, known.pattern, known.status) == (place.tenant, "ann", "call", "done")
        assert row.run.startswith(f"call/{place.tenant}/nightly-2")
        assert known.parent is not None
    await place.schedules.pause(place.tenant, name, "enough")

    async def listed() -> bool:
        rows = [row async for row in place.schedules.listed(place.tenant)]
        told = [(row.name, row.pattern, row.paused, row.note, row.next) for row in rows]
        return told == [(name, "call", True, "enough", ())]

    await until(listed)


async def test_it_is_run_by_hand_also_while_it_is_paused(place: Place) -> None:
    name = await place.create(Template(text="Hello."))
    shown = await place.schedules.show(place.tenant, name)
    assert (shown.fired, len(shown.times), len(shown.schedule.next) > 0) == (0, 0, True)
    await place.schedules.pause(place.tenant, name, "")
    await place.schedules.trigger(place.tenant, name)
    [row] = await place.fired(name)
    assert (await place.run(row).result()).text == "Hello."
    await place.schedules.resume(place.tenant, name)
    assert not (await place.schedules.show(place.tenant, name)).schedule.paused


async def test_a_time_is_done_once_also_by_hand(place: Place) -> None:
    name = await place.create(Template(text="Hello."))
    day = datetime(2026, 3, 27, tzinfo=UTC)
    handle = place.client.get_schedule_handle(schedule_id(place.tenant, name))
    for count in (1, 2):
        await handle.backfill(
            ScheduleBackfill(start_at=day, end_at=day + timedelta(hours=1), overlap=ScheduleOverlapPolicy.ALLOW_ALL)
        )
        await place.fired(name, status="completed" if count == 1 else "failed")
    [again] = await place.fired(name, status="failed")
    assert again.why == f"DoneBefore: {again.run} has run already; a time of a schedule is done once"


async def test_one_that_fails_is_a_dead_letter(place: Place, simulator: Control) -> None:
    await simulator.behave("sim-mid", status=400)
    name = await place.create(MID)
    await place.schedules.trigger(place.tenant, name)
    [row] = await place.fired(name, status="failed")
    known = await place.run(row).describe()
    letter: LetterHandle = place.client.get_workflow_handle(f"dead-letter/{row.run}/{known.run_id}")

    async def kept() -> bool:
        return (await letter.describe()).status == WorkflowExecutionStatus.RUNNING

    await until(kept)
    assert (await content(letter)).workflow_id == row.run
    await letter.terminate()


async def test_the_next_takes_the_place_of_one_that_hangs_or_leaves_it_alone(place: Place, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    for name, overlap in (("other", "skip"), ("mine", "cancel")):
        await place.create(MID, RARELY.model_copy(update={"overlap": overlap}), name)
        before = len(await simulator.calls("sim-mid"))
        await place.schedules.trigger(place.tenant, name)

        async def asked(before: int = before) -> bool:
            return len(await simulator.calls("sim-mid")) > before

        await until(asked)
        if overlap == "cancel":
            await simulator.delete("/_sim/models")
        await place.schedules.trigger(place.tenant, name)
    await place.fired("mine", status="canceled")
    [row] = await place.fired("mine")
    assert (await place.run(row).result()).text
    [hanging] = await place.fired("other", status="running")

    async def skipped() -> bool:
        return (await place.schedules.show(place.tenant, "other")).skipped == 1

    await until(skipped)
    await place.run(hanging).cancel()
    await place.fired("other", status="failed")


async def test_a_pattern_is_what_it_is_by_then(place: Place, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "daily.yaml"
    file.write_text("description: Daily.\npattern: {kind: template, text: before}\n", encoding="utf-8")
    settings = Settings(patterns=tmp_path)
    place = Place(client, Library(settings), place.store)
    async with pool(client, Library(settings), "batch", 2):
        name = await place.create("daily", priority="batch")
        file.write_text("description: Daily.\npattern: {kind: template, text: and after}\n", encoding="utf-8")

        async def changed() -> bool:
            await place.schedules.trigger(place.tenant, name)
            return "and after" in [(await place.run(row).result()).text for row in await place.fired(name)]

        await until(changed, every=1)
        file.unlink()

        async def refused() -> bool:
            await place.schedules.trigger(place.tenant, name)
            times = (await place.schedules.show(place.tenant, name)).times
            return ("", True) in [(one.run, "unknown pattern 'daily'" in (one.why or "")) for one in times]

        await until(refused, every=1)
        await place.cleared()


async def test_what_cannot_run_is_refused_before_it_is_planned(place: Place) -> None:
    with pytest.raises(InputError, match="nosuch"):
        await place.create(Call(model="nosuch"))
    with pytest.raises(InputError, match="is a file"):
        await place.create("./own.yaml")
    for cron in ("61 * * * *", "* * * 13 *", "a b c d e"):
        with pytest.raises(InputError, match="cron"):
            await place.create(MID, Times(cron=(cron,)))
    assert [row async for row in place.schedules.listed(place.tenant)] == []


async def test_a_name_is_taken_unless_it_is_replaced_and_each_tenant_has_names_of_its_own(
    place: Place, client: Client
) -> None:
    name = await place.create(Template(text="one"), Times(cron=("0 6 * * 1-5",), zone="Europe/Berlin"))
    with pytest.raises(InputError, match="has a schedule 'nightly' already; give --replace"):
        await place.create(Template(text="two"))
    await place.create(Template(text="two"), replace=True)
    await place.schedules.trigger(place.tenant, name)
    [row] = await place.fired(name)
    assert (await place.run(row).result()).text == "two"
    other = Place(client, Library(), place.store)
    with pytest.raises(InputError, match="has no schedule 'nightly'"):
        await other.schedules.show(other.tenant, name)
    with pytest.raises(InputError, match="has no schedule 'nightly'"):
        await other.schedules.trigger(other.tenant, name)
    await other.create(Template(text="theirs"))

    async def listed() -> bool:
        return [one.tenant async for one in other.schedules.listed(other.tenant)] == [other.tenant]

    await until(listed)
    await other.cleared()
    await place.schedules.delete(place.tenant, name)
    with pytest.raises(InputError, match="has no schedule"):
        await place.schedules.delete(place.tenant, name)


async def test_what_cannot_take_the_place_of_another_leaves_it_as_it_is(place: Place) -> None:
    name = await place.create(Template(text="one"))
    with pytest.raises(InputError, match="cron"):
        await place.create(Template(text="two"), Times(cron=("61 * * * *",)), replace=True)
    await place.schedules.trigger(place.tenant, name)
    [row] = await place.fired(name)
    assert (await place.run(row).result()).text == "one"


async def test_times_that_are_made_up_for_are_runs_of_their_own(place: Place, client: Client) -> None:
    name = await place.create(Template(text="late"), Times(cron=("0 6 * * *",), zone="Europe/Berlin"))
    span = ScheduleBackfill(
        # The clocks change on the 29th.
        start_at=datetime(2026, 3, 27, 12, tzinfo=UTC),
        end_at=datetime(2026, 3, 30, 12, tzinfo=UTC),
        overlap=ScheduleOverlapPolicy.ALLOW_ALL,
    )
    await client.get_schedule_handle(schedule_id(place.tenant, name)).backfill(span)
    rows = await place.fired(name, 3)
    times = {row.run.removeprefix(f"template/{place.tenant}/nightly-2026-03-") for row in rows}
    assert times == {"28T05:00:00Z", "29T04:00:00Z", "30T04:00:00Z"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "say when"),
        ({"every": "500ms"}, "at least 1s"),
        ({"cron": ["* * * *"]}, "no time of cron"),
        ({"cron": ["@daily"]}, "no time of cron"),
        ({"cron": ["TZ=UTC * * * *"]}, "no time of cron"),
        ({"every": "1h", "zone": "Mars/Base"}, "Mars/Base"),
        ({"every": "1h", "starting": "2027-01-02T00:00:00Z", "ending": "2027-01-01T00:00:00Z"}, "not after"),
        ({"every": "1h", "starting": "2027-01-02T00:00:00"}, "timezone"),
    ],
)
def test_what_is_no_time_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Times.model_validate(fields)


def test_a_step_of_a_pattern_is_planned_too() -> None:
    step = Pipeline(steps=(PipelineStep(name="one", step=MID),))
    planned = Planned(name="n", request=Request(pattern=step, prompt="?"), context=Context())
    assert Planned.model_validate_json(planned.model_dump_json()) == planned
    assert planned.fired("scheduled:default/n-2027-01-01T00:00:00Z").id == "n-2027-01-01T00:00:00Z"
