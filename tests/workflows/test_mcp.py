"""Tools of MCP servers as steps: real servers over stdio and streamable HTTP that keep what they did in SQLite."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from continuo.activities.mcp import ToolCalls
from continuo.activities.revealing import Revealing
from continuo.authoring.library import Library
from continuo.config.catalog import load_catalog
from continuo.config.settings import Settings
from continuo.door.request import Request
from continuo.door.stages import accepted
from continuo.errors import InputError
from continuo.jobs import Context, Job
from continuo.patterns import Mcp, Pipeline, PipelineStep, Retry
from continuo.starters.commands import mcp as commands
from continuo.stores.opened import open_store
from continuo.stores.tools import AcceptedTools, SentCalls
from continuo.testing.processes import begin, failure, gone, histories, job, outcome, until, until_cancelled
from continuo.tools.servers import ToolServers
from continuo.workers.local.processes import Child
from tests.support.config_files import tool_server

running = pytest.mark.usefixtures("worker", "simulator")
TOKEN = "the-token-of-the-tools"


def calls(tool: str, *, server: str = "notes", timeout: float = 20.0, **input: str) -> Mcp:
    return Mcp(server=server, tool=tool, input=input, timeout=timeout, retry=Retry(attempts=3, initial=0.01))


class Notes:
    """The server's SQLite file, and calls of its tools in this process by activities of a catalog of its own."""

    def __init__(self, folder: Path, resources: AsyncExitStack) -> None:
        self.folder, self.file, self.resources = folder, folder / "notes.db", resources
        self.write(tool_server(self.file))

    def write(self, lines: str) -> None:
        (self.folder / "catalog.toml").write_text(f"[mcp.notes]\n{lines}", encoding="utf-8")

    def tools(self) -> ToolCalls:
        settings = Settings(data=self.folder, catalog=self.folder / "catalog.toml", simulated=True)
        library = Library(settings, {**os.environ, "TOOLS_TEST_TOKEN": TOKEN, "OTHER_KEY": "another-secret"})
        database = open_store(settings, {})
        self.resources.push_async_callback(database.aclose)
        self.servers = ToolServers(library, AcceptedTools(database))
        self.resources.push_async_callback(self.servers.aclose)
        return ToolCalls(self.servers, SentCalls(database), library.masker, Revealing(library, database))

    def sql(self, sql: str, *values: str) -> list[Any]:
        with sqlite3.connect(self.file, timeout=10, isolation_level=None) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS says (name TEXT PRIMARY KEY, value TEXT)")
            connection.execute("CREATE TABLE IF NOT EXISTS events (event TEXT, text TEXT, key TEXT)")
            rows = connection.execute(sql, values).fetchall()
        connection.close()
        return rows

    def say(self, name: str, value: str) -> None:
        self.sql("INSERT OR REPLACE INTO says VALUES (?, ?)", name, value)

    def events(self, event: str) -> list[str]:
        return [row[0] for row in self.sql("SELECT text FROM events WHERE event = ?", event)]

    async def has(self, event: str, *texts: str) -> None:
        async def happened() -> bool:
            return self.events(event) == [*texts]

        await until(happened)


@pytest.fixture
async def notes(tmp_path: Path) -> AsyncIterator[Notes]:
    async with AsyncExitStack() as resources:
        yield Notes(tmp_path, resources)


@pytest.fixture
async def remote(notes: Notes) -> AsyncIterator[Child]:
    command = [sys.executable, "tests/support/tool_server.py", str(notes.file), "--http"]
    child = Child("server of tools", command, notes.folder / "remote.log", "http://", {**os.environ})
    await child.start()
    notes.write(f'url = "{child.ready_line}"\nheaders = {{ X-Token = "TOOLS_TEST_TOKEN" }}\n')
    yield child
    await killed(child)


async def killed(child: Child) -> None:
    """A server that is asked to end waits for those who listen to it."""
    assert child.process is not None
    if child.process.returncode is None:
        child.process.kill()
    await child.ended()


async def answered(tools: ToolCalls, step: Mcp, activity_id: str = "1", **data: Any) -> str:
    environment = ActivityEnvironment()
    environment.info = replace(ActivityEnvironment.default_info(), activity_id=activity_id)
    return (await environment.run(tools.mcp, _job(step, **data))).text


async def refused(tools: ToolCalls, step: Mcp, activity_id: str = "1", **data: Any) -> tuple[str, str, bool]:
    with pytest.raises(ApplicationError) as raised:
        await answered(tools, step, activity_id, **data)
    return str(raised.value.type), raised.value.message, raised.value.non_retryable


def _job(step: Mcp, **data: Any) -> Job:
    return job(calls("add"), **data).model_copy(update={"step": step})


@running
async def test_a_step_calls_a_tool_once_with_what_its_templates_give(client: Client) -> None:
    step = Pipeline(
        steps=(
            PipelineStep(name="sum", step=calls("add", one="{one}", other="{two}")),
            PipelineStep(name="note", step=calls("note", text="{input} of {two}")),
        )
    )
    end = await outcome(client, job(step, "a sum", one=40, two=2))
    assert (end.outputs["sum"], end.text, end.served_by) == ("42", "noted 42 of 2", "tool")


@running
async def test_what_a_tool_knows_of_our_secrets_is_in_no_history(client: Client) -> None:
    handle = await begin(client, job(calls("variables")))
    text = (await handle.result()).text
    assert json.loads(text)["TOKEN"] == "***"
    assert not any(name.startswith(("CONTINUO_", "TEMPORAL_", "TOOLS_")) for name in json.loads(text))
    assert TOKEN not in "".join([one.to_json() async for one in histories(client, handle.id)])


@running
async def test_an_error_of_a_tool_is_the_failure_of_the_step_and_not_tried_again(client: Client) -> None:
    end = await failure(client, job(calls("fail")))
    assert end.type == "tool_failed"
    assert "no paper left" in end.message
    assert (await failure(client, job(calls("add", one="{one}"), one="x"))).type == "invalid_request"


async def test_a_server_at_a_url_answers_several_calls_at_once(notes: Notes, remote: Child) -> None:
    tools = notes.tools()
    notes.say("held", "slow")
    slow = asyncio.create_task(answered(tools, calls("note", text="slow"), "slow"))
    await notes.has("began", "slow")
    assert await answered(tools, calls("add", one="{one}", other="{one}"), "quick", one=2) == "4"
    notes.say("held", "")
    assert await slow == "noted slow"
    await killed(remote)
    kind, _, final = await refused(tools, calls("add", one="{one}", other="{one}"), "late", one=2)
    assert (kind, final) == ("connection", False)


async def test_calls_share_a_session_an_answer_is_given_again_and_a_cancelled_call_reaches_the_server(
    notes: Notes,
) -> None:
    tools = notes.tools()
    notes.say("held", "slow")
    environment = ActivityEnvironment()
    slow = asyncio.create_task(environment.run(tools.mcp, _job(calls("note", text="slow"))))
    await notes.has("began", "slow")
    assert [await answered(tools, calls("note", text="quick"), "2") for _ in range(2)] == ["noted quick"] * 2
    assert notes.events("noted") == ["quick"]
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    await notes.has("cancelled", "slow")
    assert len(notes.events("started")) == 1


@pytest.mark.parametrize(("tool", "final"), [("note", True), ("note_once", False)])
async def test_a_server_killed_in_a_call_is_started_anew_and_asked_again_where_that_is_safe(
    notes: Notes, tool: str, final: bool
) -> None:
    tools = notes.tools()
    notes.say("held", "a")
    first = asyncio.create_task(refused(tools, calls(tool, text="a")))
    await notes.has("began", "a")
    os.kill(int(notes.events("started")[0]), signal.SIGKILL)
    kind, message, ended = await first
    assert (kind, ended) == ("connection", final)
    notes.say("held", "")
    if final:
        assert "may have been done" in message
        assert (await refused(tools, calls(tool, text="a")))[2]
    else:
        assert await answered(tools, calls(tool, text="a")) == "noted a"
    keys = notes.sql("SELECT DISTINCT key FROM events WHERE event = 'began'")
    assert len(keys) == 1
    assert await answered(tools, calls("add", one="{n}", other="{n}"), "3", n=1) == "2"


async def test_a_call_that_takes_too_long_ends_and_is_not_made_again(notes: Notes) -> None:
    tools = notes.tools()
    assert await answered(tools, calls("note", text="warm"), "0") == "noted warm"
    notes.say("held", "a")
    kind, message, final = await refused(tools, calls("note", text="a", timeout=0.5))
    assert (kind, final) == ("timeout", True)
    assert "0.5 s" in message or "within" in message
    await notes.has("cancelled", "a")


async def test_a_tool_that_changes_is_refused_until_it_is_accepted(notes: Notes) -> None:
    tools = notes.tools()
    assert await answered(tools, calls("add", one="{n}", other="{n}"), n=1) == "2"
    assert {tool.name for tool in await notes.servers.tools("notes")} >= {"add", "note", "rewrite"}
    await answered(tools, calls("rewrite"), "2")

    async def noticed() -> bool:
        return "add" not in {tool.name for tool in await notes.servers.tools("notes")}

    await until(noticed)
    kind, message, final = await refused(tools, calls("add"), "3")
    assert (kind, final) == ("tool_changed", True)
    assert "continuo mcp show notes" in message


async def test_the_commands_show_what_has_changed_and_accept_it(
    notes: Notes, remote: Child, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = notes.tools()
    await notes.servers.tools("notes")
    await answered(tools, calls("rewrite"))
    for name, value in (("DATA", notes.folder), ("CATALOG", notes.folder / "catalog.toml")):
        monkeypatch.setenv(f"CONTINUO_{name}", str(value))
    monkeypatch.setenv("TOOLS_TEST_TOKEN", TOKEN)
    # The logging of a process is not to be that of the tests'.
    monkeypatch.setattr("continuo.temporal.telemetry.configure_logging", lambda level, masker: None)
    with capture_logs():
        capsys.readouterr()
        assert await commands.list_tools(json=True) == 1
        states = {row["tool"]: row["state"] for row in json.loads(capsys.readouterr().out)}
        assert (states["add"], states["note"]) == ("changed", "accepted")
        assert await commands.show("notes") == 0
        assert '+ "description": "Other words.",' in capsys.readouterr().out.splitlines()
        assert await commands.accept("notes", "add") == 0
        assert capsys.readouterr().out.startswith("accepted: add ")
        assert await commands.list_tools("notes", json=True) == 0
        notes.write('command = "no-such-program"')
        assert await commands.list_tools(json=True) == 1
    assert "no program" in capsys.readouterr().err


async def test_an_answer_without_end_is_refused(notes: Notes, remote: Child) -> None:
    tools = notes.tools()
    kind, message, final = await refused(tools, calls("much"), size=1_000_001)
    assert (kind, final) == ("invalid_response", True)
    assert "1,000,001 bytes" in message
    kind, message, final = await refused(tools, calls("much", size="{n}"), n=17_000_000)
    assert (kind, final, "16,777,216" in message) == ("invalid_response", True, True)
    notes.write(tool_server(notes.file))
    local = notes.tools()
    kind, message, final = await refused(local, calls("much", size="{n}"), n=17_000_000)
    assert (kind, final, "16,777,216" in message) == ("invalid_response", True, True)


async def test_a_server_ends_with_what_started_it(notes: Notes) -> None:
    script = (
        "import asyncio, os, sys\n"
        "from continuo.config.mcp import McpServer\n"
        "from continuo.tools.session import Session\n"
        "async def main():\n"
        "    server = McpServer(command='sh', args=('-c', '\"$0\" \"$@\"; true', *sys.argv[1:]))\n"
        "    session = Session('notes', server, os.environ)\n"
        "    await session.opened()\n"
        "    print('ready', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", script, sys.executable, "tests/support/tool_server.py", str(notes.file)]
    child = Child("owner", command, notes.folder / "owner.log", "ready", {**os.environ})
    await child.start()
    pid = int(notes.events("started")[0])
    assert child.process is not None
    child.process.kill()

    async def ended() -> bool:
        return gone(pid)

    await until(ended)


async def test_a_program_that_is_not_there_is_told_at_once(notes: Notes) -> None:
    notes.write('command = "no-such-program"')
    kind, message, final = await refused(notes.tools(), calls("note", text="a"))
    assert (kind, final) == ("invalid_request", True)
    assert "no program 'no-such-program'" in message


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "give it a command, or else a url"),
        ('command = "a"\nurl = "http://b"', "give it a command, or else a url"),
        ('url = "b"', "write one that begins with https:// or http://"),
        ('command = "a"\nenv = { TOKEN = "sk-1" }', "write the name of the one that holds the value"),
        ('command = "a"\nheaders = { X = "Y" }', "give a command its env"),
    ],
)
def test_a_wrong_server_is_told_with_its_field_before_anything_runs(notes: Notes, lines: str, message: str) -> None:
    notes.write(lines)
    with pytest.raises(InputError, match=r"mcp\.notes") as raised:
        load_catalog(notes.folder / "catalog.toml")
    assert message in str(raised.value)
    assert "sk-1" not in str(raised.value)


@pytest.mark.parametrize(
    ("step", "environ", "message"),
    [
        (calls("note", server="note"), {"TOOLS_TEST_TOKEN": "x"}, "did you mean 'notes'"),
        (calls("fail"), {"TOOLS_TEST_TOKEN": "x"}, "unknown tool of server 'notes'"),
        (calls("note"), {}, "needs TOOLS_TEST_TOKEN; set it"),
        (calls("note", text="{gone}"), {"TOOLS_TEST_TOKEN": "x"}, "has no such field in its data; add it"),
    ],
)
def test_a_step_that_cannot_run_is_told_before_it_does(
    notes: Notes, step: Mcp, environ: dict[str, str], message: str
) -> None:
    notes.write(tool_server(notes.file) + 'tools = ["note", "add"]\n')
    library = Library(Settings(data=notes.folder, catalog=notes.folder / "catalog.toml", simulated=True), environ)
    with pytest.raises(InputError, match=message):
        accepted(library, Request(pattern=step, prompt="a"), Context())


@running
async def test_a_cancelled_run_waits_until_its_call_has_ended(client: Client, folder: Path) -> None:
    path = folder / "notes.db"
    with sqlite3.connect(path, timeout=10, isolation_level=None) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS says (name TEXT PRIMARY KEY, value TEXT)")
        connection.execute("CREATE TABLE IF NOT EXISTS events (event TEXT, text TEXT, key TEXT)")
        connection.execute("INSERT OR REPLACE INTO says VALUES ('held', 'held by a test')")
        handle = await begin(client, job(calls("note", text="held by a test", timeout=60)))
        sql = "SELECT count(*) FROM events WHERE text = 'held by a test' AND event = ?"

        async def began() -> bool:
            return bool(connection.execute(sql, ("began",)).fetchone()[0])

        await until(began)
        await until_cancelled(handle)

        async def cancelled() -> bool:
            return bool(connection.execute(sql, ("cancelled",)).fetchone()[0])

        await until(cancelled)
    connection.close()
