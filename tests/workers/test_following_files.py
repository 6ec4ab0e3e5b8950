"""Pools that run while an operator edits the catalog and the tenants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.service import RPCError

from continuo.authoring.library import Library
from continuo.config import followed
from continuo.config.settings import Settings
from continuo.door.runs import result, start
from continuo.jobs import Context, Failure, Job, Outcome
from continuo.messages import Message, ModelRequest
from continuo.patterns import Call, Http, Step
from continuo.testing.processes import Control, until
from continuo.workers.pool import pool
from tests.support.config_files import written_catalog, written_tenants

KEY = "sk-added-0123456789abcdef"

ADDED = """
[providers.added]
protocol = "openai"
base_url = "{url}/v1"
key_env = "ADDED_KEY"

[models.added]
provider = "added"
price = {{ input = 0.0, output = 1.0, source = "simulated", date = 2026-11-26 }}

[services.added]
base_url = "{url}"
"""


@dataclass
class Edited:
    """A pool on the batch queue, and the files that it follows."""

    client: Client
    catalog: Path
    tenants: Path

    async def result(self, step: Step) -> Outcome | Failure:
        """What the step comes to in a run of its own."""
        request = ModelRequest(messages=(Message(role="user", content="Hello?"),))
        job = Job(step=step, context=Context(pattern="test", tenant="edited", priority="batch"), request=request)
        handle = await start(self.client, job, id=f"test-{uuid4()}")
        found = await result(handle)
        # Its letter would wait for a pool on a queue that has none after this test.
        with suppress(RPCError):
            letter = f"dead-letter/{handle.id}/{handle.first_execution_run_id}"
            await self.client.get_workflow_handle(letter).terminate()
        return found

    async def answer(self, step: Step) -> Outcome:
        outcome = await self.result(step)
        assert isinstance(outcome, Outcome), outcome
        return outcome

    async def failure(self, step: Step) -> Failure:
        failure = await self.result(step)
        assert isinstance(failure, Failure), failure
        return failure


@pytest.fixture
async def edited(
    client: Client, simulator: Control, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Edited]:
    monkeypatch.setattr(followed, "EVERY", 0.0)
    monkeypatch.setenv("ADDED_KEY", KEY)
    catalog, tenants = written_catalog(tmp_path), written_tenants(tmp_path)
    settings = Settings(catalog=catalog, tenants=tenants, data=tmp_path / "data")
    async with pool(client, Library(settings), "batch", 5):
        yield Edited(client, catalog, tenants)


def add(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


async def test_what_is_added_answers_in_a_running_pool_and_a_broken_file_changes_nothing(
    edited: Edited, simulator: Control
) -> None:
    await simulator.behave("added", text=f"the key is {KEY}")
    call, serve = Call(model="added"), Http(service="added", path="/_sim/models/other", method="DELETE")
    assert "catalog has no model 'added'" in (await edited.failure(call)).message
    assert "catalog has no service 'added'" in (await edited.failure(serve)).message

    add(edited.catalog, ADDED.format(url=simulator.url))
    # Its key is masked like any other.
    assert (await edited.answer(call)).text == "the key is ***"
    assert (await edited.answer(serve)).served_by == "service"

    with capture_logs() as logs:
        add(edited.catalog, "[models.broken\n")
        assert (await edited.answer(call)).text == "the key is ***"
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [
        "a changed file is wrong; what was read before stays"
    ]


async def test_a_call_under_way_keeps_the_catalog_that_it_began_with(edited: Edited, simulator: Control) -> None:
    await simulator.behave("added", latency=1.0, tokens={"input": 1, "output": 1_000_000})
    before = edited.catalog.read_text(encoding="utf-8")
    add(edited.catalog, ADDED.format(url=simulator.url))
    slow = asyncio.create_task(edited.answer(Call(model="added")))
    await until(lambda: simulator.calls("added"))
    edited.catalog.write_text(before, encoding="utf-8")
    await edited.failure(Call(model="added"))
    assert not slow.done()
    assert (await slow).cost_usd == 1.0

    add(edited.catalog, ADDED.format(url=simulator.url).replace("output = 1.0", "output = 2.0"))
    assert (await edited.answer(Call(model="added"))).cost_usd == 2.0


async def test_a_budget_that_is_raised_lets_the_next_call_go(edited: Edited) -> None:
    add(edited.tenants, "\n[tenants.edited]\ndaily_usd = 0.0\n")
    assert (await edited.failure(Call(model="sim-mid"))).type == "budget_spent"
    add(edited.tenants, 'zone = "Europe/Berlin"\n')
    assert "Europe/Berlin" in (await edited.failure(Call(model="sim-mid"))).message
    edited.tenants.write_text("[tenants.edited]\ndaily_usd = 10.0\n", encoding="utf-8")
    await edited.answer(Call(model="sim-mid"))
