"""A key that an upstream repeats is in no history, journal, ledger, outcome, file, log line or span."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError

from continuo.authoring.library import Library
from continuo.config.catalog import load_catalog
from continuo.config.settings import Settings
from continuo.door.runs import result, start
from continuo.jobs import Context, Failure, Job
from continuo.messages import Message, ModelRequest
from continuo.patterns import Cached, Call, Http, Retry, Step, Template
from continuo.testing.processes import pool_process, running
from continuo.workers.pool import pool
from tests.support.config_files import written_catalog

CANARY = 'sk-canary/0123456789"abcdef+XYZ'
ONCE = Retry(attempts=1)


def answer(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()


WAYS: dict[str, tuple[int, bytes]] = {
    "an error": (400, json.dumps({"error": {"message": f"bad key {CANARY}"}}).encode()),
    "an error cut short": (400, f"bad key {CANARY[:-4]}".encode()),
    "an error in base64": (400, b64encode(f"Bearer {CANARY}".encode())),
    "a text": (200, answer(f"your key is {CANARY}")),
    "a refusal": (
        200,
        json.dumps({"choices": [{"message": {"refusal": CANARY}, "finish_reason": "stop"}]}).encode(),
    ),
    "a shape": (200, json.dumps({"choices": [{"message": {"content": [CANARY]}}]}).encode()),
    "no JSON": (200, CANARY.encode()),
}


@pytest.fixture
async def upstream() -> AsyncIterator[tuple[str, dict[str, bytes]]]:
    """An address, and what is answered there to everything."""
    reply: dict[str, bytes] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply["raw"])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", reply
    server.close()


@pytest.fixture
def catalog(tmp_path: Path, upstream: tuple[str, dict[str, bytes]]) -> Path:
    """A catalog whose provider and service `echo` are the upstream."""
    url, _ = upstream
    catalog = written_catalog(tmp_path)
    text = catalog.read_text(encoding="utf-8") + '\n[models.echo]\nprovider = "echo"\n'
    text += f'\n[providers.echo]\nprotocol = "openai"\nbase_url = "{url}"\nkey_env = "ECHO_KEY"\n'
    text += f'\n[services.echo]\nbase_url = "{url}"\nkey_env = "ECHO_KEY"\n'
    catalog.write_text(text, encoding="utf-8")
    assert "echo" in load_catalog(catalog).models
    return catalog


@pytest.fixture
async def echoing(
    client: Client, environ: pytest.MonkeyPatch, tmp_path: Path, catalog: Path, upstream: tuple[str, dict[str, bytes]]
) -> AsyncIterator[tuple[Client, dict[str, bytes]]]:
    """A pool on the batch queue whose keys are the canary."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECHO_KEY", CANARY)
        settings = Settings(catalog=catalog, data=tmp_path / "data")
        async with pool(client, Library(settings), "batch", 5):
            yield client, upstream[1]


def job(step: Step) -> Job:
    request = ModelRequest(messages=(Message(role="user", content="Hello?"),))
    return Job(step=step, context=Context(pattern="test", tenant="echo", priority="batch"), request=request)


async def everything(client: Client, step: Step, folder: Path) -> str:
    """Run the step, and give all that is kept of it but what it was started with, as texts one after the other."""
    handle = await start(client, job(step), id=f"test-{uuid4()}")
    outcome = await result(handle)
    history = WorkflowHistory(handle.id, (await handle.fetch_history()).events[1:])
    events = [event.SerializeToString().decode("latin-1") for event in history.events]
    # Its letter would wait for a pool on a queue that has none after this test.
    with suppress(RPCError):
        letter = f"dead-letter/{handle.id}/{handle.first_execution_run_id}"
        await client.get_workflow_handle(letter).terminate()
    stored = [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]
    return "\n".join([outcome.to_json(), history.to_json(), *events, *stored])


@pytest.mark.parametrize("step", [Call(model="echo", retry=ONCE), Http(service="echo", path="/x", retry=ONCE)])
async def test_a_key_that_is_repeated_is_kept_nowhere(
    echoing: tuple[Client, dict[str, bytes]], tmp_path: Path, step: Step
) -> None:
    client, reply = echoing
    for way, (status, body) in WAYS.items():
        reply["raw"] = f"HTTP/1.1 {status} .\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
        kept = await everything(client, step, tmp_path / "data")
        assert "canary" not in kept, way
        assert b64encode(CANARY.encode()).decode()[4:24] not in kept, way


async def test_a_key_in_a_line_that_is_no_header_is_kept_nowhere(
    echoing: tuple[Client, dict[str, bytes]], tmp_path: Path
) -> None:
    client, reply = echoing
    reply["raw"] = f"HTTP/1.1 200 .\r\n{CANARY}\r\n\r\n".encode()
    for step in (Call(model="echo", retry=ONCE), Http(service="echo", path="/x", retry=ONCE)):
        assert "canary" not in await everything(client, step, tmp_path / "data")


async def test_a_key_that_a_pattern_holds_is_in_no_result_of_activities_and_workflows(
    echoing: tuple[Client, dict[str, bytes]], tmp_path: Path
) -> None:
    client, _ = echoing
    step = Cached(step=Template(text=CANARY), ttl=60)
    for _ in ("a miss", "a hit"):
        assert "canary" not in await everything(client, step, tmp_path / "none")


async def test_a_key_is_in_no_line_that_a_pool_writes(
    client: Client, tmp_path: Path, catalog: Path, upstream: tuple[str, dict[str, bytes]]
) -> None:
    log, (_, reply) = tmp_path / "pool.log", upstream
    reply["raw"] = f"HTTP/1.1 400 .\r\n\r\nbad key {CANARY}".encode()
    environment = {"ECHO_KEY": CANARY, "CONTINUO_CATALOG": str(catalog), "CONTINUO_DATA": str(tmp_path / "data")}
    async with running(pool_process("batch", log, OTEL_TRACES_EXPORTER="console", **environment)):
        for step in (Call(model="echo", retry=ONCE), Http(service="echo", path="/x", retry=ONCE)):
            handle = await start(client, job(step), id=f"{CANARY}-{step.kind}")
            assert isinstance(await result(handle), Failure)
            with suppress(RPCError):
                letter = f"dead-letter/{handle.id}/{handle.first_execution_run_id}"
                await client.get_workflow_handle(letter).terminate()
    written = log.read_text(encoding="utf-8")
    assert written.count("attempt failed") == 2
    assert '"workflow_id": "***-call"' in written
    assert '"temporalWorkflowID": "***-http"' in written
    assert "canary" not in written
