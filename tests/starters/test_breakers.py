"""`continuo breakers`, beside what the entity itself says."""

import asyncio
import json
from pathlib import Path

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings
from continuo.protection.breaker import State, workflow_id
from continuo.testing.processes import until
from continuo.workers.local.temporal_server import find
from tests.support.commands import continuo
from tests.support.repository import ROOT

PROVIDER = "vllm"
"""One that no test calls."""


async def shown() -> dict[str, str]:
    found = await continuo("breakers", "--json")
    assert (found.code, found.err) == (0, "")
    return {one["provider"]: one["state"] for one in json.loads(found.out)}


async def test_before_anything_ran_every_provider_is_healthy(environ: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a store, and without a server."""
    nowhere = {"CONTINUO_DATA": str(tmp_path / "new"), "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    found = await continuo("breakers", **nowhere)
    assert (found.code, found.err) == (0, "")
    rows = [line for line in found.out.splitlines() if "healthy" in line]
    assert any("sim-openai" in row and "nothing has failed" in row for row in rows)


@pytest.mark.usefixtures("worker")
async def test_a_breaker_is_opened_closed_and_reset_by_hand(client: Client) -> None:
    for command, state in (("open --for 2h", "open"), ("close", "closed"), ("reset", "closed")):
        found = await continuo("breakers", *command.split(), PROVIDER, "--note", "a test")
        assert (found.code, found.err) == (0, ""), found
        told = await client.get_workflow_handle(workflow_id(PROVIDER)).query("state", result_type=State)
        assert (told.until is not None) == ("--for" in command)

        async def is_shown(state: str = state) -> bool:
            return (await shown())[PROVIDER] == state

        await until(is_shown)
    table = (await continuo("breakers")).out
    [row] = [line for line in table.splitlines() if PROVIDER in line]
    assert "reset: a test" in row


@pytest.mark.usefixtures("worker")
async def test_the_temporal_command_does_the_same(client: Client) -> None:
    """As docs/operating.md says."""
    await continuo("breakers", "reset", PROVIDER)
    temporal = find(Settings().cache)
    assert temporal is not None
    signal = ("signal", "--workflow-id", workflow_id(PROVIDER), "--name", "force_open", "--input", '"maintenance"')
    query = ("query", "--workflow-id", workflow_id(PROVIDER), "--type", "state")
    for arguments in (signal, query):
        process = await asyncio.create_subprocess_exec(
            *(str(temporal), "workflow", *arguments, "--address", client.service_client.config.target_host),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
    assert b"forced open: maintenance" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["breakers", "open", "opnai"], "unknown provider 'opnai'; did you mean 'openai'?"),
        (["breakers", "open"], "provider"),
        (["breakers", "open", "openai", "--for", "soon"], "--for: 'soon' is not a duration"),
        (["breakers", "open", "openai", "--for", "0s"], "--for: 0s is no time"),
        (["breakers", "explode", "openai"], "explode"),
    ],
)
async def test_wrong_input_is_one_line(environ: pytest.MonkeyPatch, arguments: list[str], says: str) -> None:
    found = await continuo(*arguments, TEMPORAL_ADDRESS="127.0.0.1:1")
    assert (found.code, found.out) == (2, "")
    assert found.err.count("\n") == 1
    assert says in found.err


async def test_a_store_that_cannot_be_used_is_named(environ: pytest.MonkeyPatch) -> None:
    found = await continuo("breakers", CONTINUO_DATA=str(ROOT / "README.md"))
    assert (found.code, found.err.count("\n")) == (2, 1)
    assert "set CONTINUO_DATA to a folder that can be written" in found.err
