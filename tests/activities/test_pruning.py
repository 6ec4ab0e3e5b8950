"""On a server of its own, with time moved on: what any run that Temporal knows may need stays, and all else goes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecution, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from continuo.activities.pruning import Pruning
from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.door.executions import delete, referred
from continuo.door.media import keep
from continuo.door.runs import Handle, result
from continuo.jobs import Outcome
from continuo.messages import Message, ModelRequest
from continuo.operations.pruning import Part
from continuo.parts import Text
from continuo.patterns import Call, Retry, Template
from continuo.stores.database import Database
from continuo.stores.opened import open_cache, open_store, opened_payloads, opened_streams
from continuo.stores.payloads import Payloads
from continuo.stores.pruning import JOURNAL, LEDGER
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import begin, job, until
from continuo.workers.pool import pool
from continuo.workers.registered import WORKFLOWS
from continuo.workers.sandbox import runner
from tests.continuo.stores.test_pruning import names
from tests.support.media import part, png
from tests.support.world import World, made
from tests.workflows.test_dead_letter import buried, content

LONG = "x" * 20_000

ACKS = [
    f'history.{queue}ProcessorUpdateAckInterval="100ms"' for queue in ("transfer", "visibility", "timer", "archival")
]
"""A run is deleted when the server has noted that all else of it is done."""


@pytest.fixture
async def world(tmp_path: Path, environ: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with made(tmp_path, *ACKS) as world:
        yield world


def long(name: str) -> Template:
    """An answer that is kept beside the history, and is no other's."""
    return Template(text=f"{name} {uuid4()} {LONG}")


def isolated(name: str) -> Template:
    return long(name).model_copy(update={"isolate": True})


@asynccontextmanager
async def opened(client: Client, settings: Settings) -> AsyncIterator[tuple[Pruning, Database, Payloads]]:
    namespace = await namespace_of(client)
    store, cache = open_store(settings, environment()), open_cache(settings, environment())
    async with (
        opened_payloads(settings, environment(), store) as large,
        opened_streams(settings, environment()) as streams,
    ):
        pruning = Pruning(settings, client, namespace, store, large, cache, streams)
        yield pruning, store, Payloads(large, namespace.id)
    await store.aclose()
    await cache.aclose()


async def pruned(pruner: Pruning, *, dry_run: bool = False) -> dict[Part, int]:
    """What goes a hundred days from now."""
    now = datetime.now(UTC) + timedelta(days=100)
    return {part: await pruner.pruned(part, now, dry_run=dry_run) for part in get_args(Part)}


async def ended(client: Client, id: str) -> list[WorkflowExecution]:
    """A run and its children, once the list has them as ended."""
    found: list[WorkflowExecution] = []

    async def there() -> bool:
        found[:] = [one async for one in client.list_workflows() if one.id == id or one.id.startswith(f"{id}.")]
        return bool(found) and all(one.close_time for one in found)

    await until(there)
    return found


async def forgotten(client: Client, runs: list[WorkflowExecution]) -> None:
    """As runs are after the namespace's retention."""
    for run in runs:
        await delete(client, run)

    async def gone() -> bool:
        return not {run.run_id for run in runs} & {one.run_id async for one in client.list_workflows()}

    await until(gone)


async def started_again(client: Client, id: str) -> Handle:
    """A run that has ended, begun once more from its last task."""
    history = await client.get_workflow_handle(id).fetch_history()
    tasks = [event for event in history.events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=Execution(workflow_id=id),
        reason="test",
        request_id=str(uuid4()),
        workflow_task_finish_event_id=tasks[-1].event_id,
    )
    run_id = (await client.workflow_service.reset_workflow_execution(request)).run_id
    return client.get_workflow_handle(id, run_id=run_id, result_type=Outcome)


async def replay(client: Client) -> list[str]:
    """Replay whatever Temporal knows from what is kept: the types of the workflows."""
    replayer = Replayer(
        workflows=WORKFLOWS, workflow_runner=runner(sandbox=False), data_converter=client.data_converter
    )
    kinds = []
    async for run in client.list_workflows():
        try:
            history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            # What was deleted a moment ago is still listed.
            continue
        await replayer.replay_workflow(WorkflowHistory(run.id, history.events))
        kinds.append(run.workflow_type)
    return sorted(kinds)


@pytest.mark.chaos
async def test_what_any_known_run_needs_stays_and_all_else_goes(world: World) -> None:
    """Runs under way with answers of children that are forgotten, closed and known, closed and forgotten, begun again
    though the first run is forgotten; letters that are open and closed; the answer to a query."""
    client, settings = world.client, Settings(ledger_retention=86_400)
    hangs = Call(model="sim-mini", timeout=600)
    failing = job(Call(model="premium", retry=Retry(attempts=1)), LONG)
    await world.simulator.behave("sim-mini", latency=60)
    await world.simulator.behave("sim-premium", status=503)
    async with pool(client, Library(settings), "standard", 10):
        waits = await begin(client, job(isolated("child") >> Call(model="mid") >> hangs))
        once = await begin(client, job(Call(model="mid")))
        known, gone, again = [
            await begin(client, job(step)) for step in (long("known"), long("gone"), isolated("again") >> long("last"))
        ]
        letter, closed = [await buried(client, failing) for _ in range(2)]
        await closed.signal("discard")
        await until(lambda: world.simulator.calls("sim-mini"))
        lost = [run for handle in (once, gone, again) for run in await ended(client, handle.id)]
        for handle in (known, closed):
            await ended(client, handle.id)
        lost += [run async for run in client.list_workflows() if run.id.startswith(f"{waits.id}.") and run.close_time]
    begun_again = await started_again(client, again.id)
    await forgotten(client, lost)
    unrecorded = settings.data / "unrecorded" / "x.json"
    unrecorded.parent.mkdir()
    unrecorded.touch()
    async with opened(client, settings) as (pruner, store, payloads):
        await payloads.keep({"f" * 64: b"the answer to a query"}, datetime.now(UTC).timestamp())
        journal, ledger = await names(store, JOURNAL), await names(store, LEDGER)
        counts = await pruned(pruner, dry_run=True)
        assert (await names(store, JOURNAL), await names(store, LEDGER)) == (journal, ledger)
        assert await pruned(pruner) == counts
        # The answers of `gone`, of `again` before it was begun again, and to the query.
        parts = {"journal": 1, "ledger": 1, "cache": 0, "payloads": 3, "letters": 1}
        # How many runs had their rows yet when the pool ended, and these their events, is chance.
        noticed = {part: counts[part] for part in ("runs", "events")}
        assert counts == {**parts, **noticed, "streams": 0, "audit": 0}
        under_way = waits.first_execution_run_id
        assert [name.partition("/")[0] for name in await names(store, JOURNAL)] == [under_way]
        assert len(ledger) - len(await names(store, LEDGER)) == counts["ledger"]
    assert unrecorded.exists()
    unrecorded.unlink()
    assert await replay(client) == ["Breaker", "Call", "Call", "DeadLetter", "Pipeline", "Pipeline", "Template"]
    await world.simulator.delete("/_sim/models")
    # A worker that has none of them in its cache.
    async with pool(client, Library(settings), "standard", 10):
        assert (await content(letter)).job == failing.begun()
        assert len((await known.result()).text) > len(LONG)
        for handle in (waits, begun_again):
            assert isinstance(found := await result(handle), Outcome), found
    assert len(await world.simulator.calls("sim-mid")) == 2


async def test_a_run_that_began_late_is_read_for_what_it_holds_only_while_it_is_open(world: World) -> None:
    client, settings = world.client, Settings()
    async with pool(client, Library(settings), "standard", 10):
        run = await begin(client, job(long("a") >> long("b")))
        await ended(client, run.id)
    now = datetime.now(UTC)
    assert await referred(client, now - timedelta(hours=1)) == set()
    assert len(await referred(client, now + timedelta(hours=1))) >= 1


async def test_media_stay_while_an_open_letter_holds_a_job_that_is_itself_kept(world: World) -> None:
    """The run that failed is forgotten, and the letter's history names the job alone, which names the image."""
    client, settings = world.client, Settings()
    content, other = png(seed=1), png(seed=2)
    photo = part(content)
    turn = Message(role="user", content=(photo, Text(text=LONG)))
    failing = job(Call(model="premium", retry=Retry(attempts=1)))
    failing = failing.model_copy(update={"request": ModelRequest(messages=(turn,))})
    await keep(client, settings, {photo: content, part(other): other})
    await world.simulator.behave("sim-premium", status=503)
    async with pool(client, Library(settings), "standard", 10):
        letter = await buried(client, failing)
        failed = letter.id.split("/")[1]
        await forgotten(client, await ended(client, failed))
        async with opened(client, settings) as (pruner, _, payloads):
            now = datetime.now(UTC).timestamp()
            await pruned(pruner)
            assert await payloads.use(part(other).sha256, now) is None
            assert await payloads.use(photo.sha256, now) == content
            await letter.signal("discard")
            await forgotten(client, await ended(client, letter.id))
            await pruned(pruner)
            assert await payloads.use(photo.sha256, now) is None
