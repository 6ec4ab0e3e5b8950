"""`continuo mcp`: the servers of tools, what they offer, and what of it has changed."""

import json as jsonlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from difflib import unified_diff
from typing import Annotated

from cyclopts import App, Parameter
from rich.text import Text

from continuo.authoring.library import Library
from continuo.errors import InputError, ProviderError, unknown
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import err, out
from continuo.starters.store import opened
from continuo.stores.tools import AcceptedTools
from continuo.tools.tool import Tool, digest

mcp = App(name="mcp", help="List the servers of tools; show what a tool has become, and accept it.")


@mcp.command(name="list")
@mcp.default
async def list_tools(server: str | None = None, *, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """List the tools of each server: exit code 1 when one is not as it was accepted, or a server is away.

    Parameters
    ----------
    server
        One server of the catalog; by default all.
    json
        Print them as JSON.
    """
    library = Library()
    rows, away = [], list[str]()
    for name in [server] if server else library.catalog.mcp:
        try:
            async with _tools_of(library, name) as (tools, known, _):
                pass
        except InputError as error:
            if server:
                raise
            # The others are listed all the same.
            away.append(name)
            err.print(f"error: {error}")
            continue
        for tool in tools:
            state = "new" if tool.name not in known else _state(tool, known[tool.name])
            about = {"read_only": tool.annotations.get("readOnlyHint") is True, "repeatable": tool.repeatable}
            row = {"server": name, "tool": tool.name, "digest": tool.digest, "state": state, **about}
            rows.append({**row, "description": tool.description})
    if json:
        out.out(jsonlib.dumps(rows, indent=2))
    else:
        columns = (Column("server"), Column("tool"), Column("state"), Column("digest"), Column("description", rank=1))
        table = FittedTable(*columns, empty="no tools, or no servers in the catalog")
        for row in rows:
            table.add_row(*(Text(" ".join(str(row[column.name]).split())) for column in columns))
        out.print(table)
    return int(bool(away) or any(row["state"] == "changed" for row in rows))


@mcp.command
async def show(server: str, tool: str | None = None) -> int:
    """Show what of a server's tools has changed, as a diff; with a tool's name, all that is said of it.

    Parameters
    ----------
    server
        A server of the catalog.
    tool
        One of its tools.
    """
    async with _tools_of(Library(), server) as (tools, known, _):
        for one in _chosen(tools, server, tool):
            before = known.get(one.name, one.definition)
            if before != one.definition:
                names = f"{one.name} {digest(before)} (accepted)", f"{one.name} {one.digest} (now)"
                for line in unified_diff(before.splitlines(), one.definition.splitlines(), *names, lineterm=""):
                    out.out(line)
            elif tool:
                out.out(one.definition)
    return 0


@mcp.command
async def accept(server: str, tool: str | None = None) -> int:
    """Let a server's tools be used as they are now.

    Parameters
    ----------
    server
        A server of the catalog.
    tool
        One of its tools; by default all.
    """
    async with _tools_of(Library(), server) as (tools, known, accepted):
        chosen = [one for one in _chosen(tools, server, tool) if known.get(one.name) != one.definition]
        await accepted.accept(server, {one.name: one.definition for one in chosen})
        for one in chosen:
            out.print(f"accepted: {one.name} {one.digest}")
    return 0


@asynccontextmanager
async def _tools_of(
    library: Library, name: str
) -> AsyncIterator[tuple[tuple[Tool, ...], dict[str, str], AcceptedTools]]:
    """The tools of a server as they are, as they were accepted, and where that is kept. Raises `InputError`."""
    if name not in library.catalog.mcp:
        raise unknown("server", name, library.catalog.mcp)
    from continuo.temporal.telemetry import configure_logging
    from continuo.tools.servers import ToolServers

    configure_logging("ERROR", library.masker)
    async with opened() as database:
        accepted = AcceptedTools(database)
        servers = ToolServers(library, accepted)
        try:
            yield await servers.listed(name), await accepted.all(name), accepted
        except ProviderError as error:
            raise InputError(f"{library.masker.text(str(error))}; correct [mcp.{name}] of the catalog") from None
        finally:
            await servers.aclose()


def _chosen(tools: tuple[Tool, ...], server: str, name: str | None) -> list[Tool]:
    chosen = [tool for tool in tools if name in (None, tool.name)]
    if name and not chosen:
        raise unknown(f"tool of server {server!r}:", name, [tool.name for tool in tools])
    return chosen


def _state(tool: Tool, before: str) -> str:
    return "accepted" if before == tool.definition else "changed"
