"""An MCP server whose tools keep what they did in an SQLite file: over stdio, or on loopback with `--http`."""

import asyncio
import json
import os
import socket
import sqlite3
import sys

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

FILE = sys.argv[1]


def kept() -> sqlite3.Connection:
    connection = sqlite3.connect(FILE, timeout=10, isolation_level=None)
    connection.execute("CREATE TABLE IF NOT EXISTS events (event TEXT, text TEXT, key TEXT)")
    connection.execute("CREATE TABLE IF NOT EXISTS says (name TEXT PRIMARY KEY, value TEXT)")
    return connection


def keep(event: str, text: str = "", key: str = "") -> None:
    kept().execute("INSERT INTO events VALUES (?, ?, ?)", (event, text, key))


def says(name: str, default: str = "") -> str:
    row = kept().execute("SELECT value FROM says WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else default


server = MCPServer("notes", log_level="ERROR")


async def noted(text: str, context: Context) -> str:
    meta = context.request_context.meta or {}
    keep("began", text, str(meta.get("continuo/idempotency-key")))
    try:
        while says("held") == text:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        keep("cancelled", text)
        raise
    keep("noted", text)
    return f"noted {text}"


@server.tool(description=says("description", "Keeps a note."))
async def note(text: str, context: Context) -> str:
    return await noted(text, context)


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
async def note_once(text: str, context: Context) -> str:
    return await noted(text, context)


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
async def deposit(cents: int, context: Context) -> str:
    """Pay in, once for a key; each try stands in a log of its own."""
    meta = context.request_context.meta or {}
    key = str(meta.get("continuo/idempotency-key"))
    bank = kept()
    bank.execute("CREATE TABLE IF NOT EXISTS tries (effect TEXT)")
    bank.execute("CREATE TABLE IF NOT EXISTS deposits (effect TEXT PRIMARY KEY, cents INTEGER)")
    bank.execute("INSERT INTO tries VALUES (?)", (key,))
    await asyncio.sleep(0.02)
    bank.execute("INSERT OR IGNORE INTO deposits VALUES (?, ?)", (key, cents))
    await asyncio.sleep(0.05)
    return f"{cents} cents are paid in"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(one: int, other: int) -> int:
    return one + other


@server.tool()
def variables() -> str:
    return json.dumps(dict(os.environ))


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def much(size: int) -> str:
    return "x" * size


@server.tool()
def fail() -> str:
    raise ToolError("no paper left")


@server.tool()
async def rewrite(context: Context) -> str:
    server.remove_tool("add")
    server.add_tool(lambda: "3", name="add", description="Other words.")
    await context.notify_tools_changed()
    await context.session.send_tool_list_changed()
    return "done"


if __name__ == "__main__":
    keep("started", str(os.getpid()))
    print("a line on stderr", file=sys.stderr)
    if "--http" in sys.argv:
        listening = socket.create_server(("127.0.0.1", 0))
        print(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", flush=True)
        app = server.streamable_http_app()
        uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listening])
    else:
        server.run()
