"""A server of tools that is started here: its messages are lines on its stdin and stdout."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from shutil import which
from typing import Any

import anyio
import structlog

from continuo.config.mcp import McpServer
from continuo.errors import ProviderError
from continuo.providers.limited import MAX_ANSWER

log = structlog.get_logger()

INHERITED = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER")
"""The variables of ours that a server gets: none of them holds a secret."""

GRACE = 1.0
"""Seconds for a server to end once its stdin is closed; it is killed then, with all that it started."""

MAX_LOGGED = 2_000
"""Characters of a line on stderr, and lines of one server, that are logged."""

_GUARD = str(Path(__file__).with_name("guard.py"))


@asynccontextmanager
async def started(
    name: str, server: McpServer, environ: Mapping[str, str], too_large: Callable[[], None]
) -> AsyncIterator[tuple[Any, Any]]:
    """The messages from and to the server, which runs inside; `too_large` is called when it says too much."""
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    command = server.command or ""
    if which(command, path=environ.get("PATH")) is None:
        raise ProviderError("invalid_request", f"{name}: there is no program {command!r}; correct `command`")
    watched, held = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", _GUARD, str(watched), command, *server.args),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(server, environ),
            limit=MAX_ANSWER,
            pass_fds=(watched,),
            start_new_session=True,
        )
    except BaseException:
        os.close(held)
        raise
    finally:
        os.close(watched)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    stdin, stdout = process.stdin, process.stdout
    incoming, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, outgoing = anyio.create_memory_object_stream[SessionMessage](0)

    async def reading() -> None:
        async with incoming:
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, ConnectionError):
                try:
                    while line := await stdout.readline():
                        try:
                            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                        except ValueError:
                            log.debug("a line of a server of tools is no message", server=name)
                        else:
                            await incoming.send(SessionMessage(message))
                except ValueError:
                    too_large()

    async def writing() -> None:
        async with outgoing:
            with suppress(ConnectionError, anyio.ClosedResourceError):
                async for message in outgoing:
                    text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                    stdin.write(f"{text}\n".encode())
                    await stdin.drain()
                return
        await incoming.aclose()

    logging = asyncio.create_task(_logged(name, process.stderr))
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reading)
            tasks.start_soon(writing)
            try:
                yield read, write
            finally:
                tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await _ended(process, held)
            logging.cancel()
            for stream in (incoming, read, write, outgoing):
                await stream.aclose()


async def _ended(process: asyncio.subprocess.Process, held: int) -> None:
    """Close its stdin, wait, and kill what is left of its group."""
    assert process.stdin
    process.stdin.close()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE)
    os.close(held)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # One that has left the group may hold its pipes open for ever.
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE)


async def _logged(name: str, stderr: asyncio.StreamReader) -> None:
    """What the server writes there, of which only so much is kept."""
    lines = 0
    rest = b""
    while piece := await stderr.read(64 * 2**10):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if (lines := lines + 1) <= MAX_LOGGED:
                log.debug("a server of tools says", server=name, line=line[:MAX_LOGGED].decode(errors="replace"))
        rest = rest[:MAX_LOGGED]


def _environment(server: McpServer, environ: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: environ[name] for name in INHERITED if name in environ}
    return {**inherited, **{name: environ[variable] for name, variable in server.env.items()}}
