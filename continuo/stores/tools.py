"""The tools of MCP servers as they were accepted, and the calls that were sent to them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from time import time

from continuo.stores.database import Connection, Database
from continuo.stores.private import PrivateText


class AcceptedTools:
    """A definition is what the server says of a tool, as canonical JSON."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, server: str) -> dict[str, str]:
        """The definitions by the tool's name."""
        rows = await self._database.read("SELECT tool, definition FROM mcp_tools WHERE server = ?", (server,))
        return {row["tool"]: row["definition"] for row in rows}

    async def first(self, server: str, definitions: Mapping[str, str]) -> dict[str, str]:
        """The definitions that hold: for a tool that is seen for the first time, the one it has now."""
        known = await self.all(server)
        if new := {tool: definition for tool, definition in definitions.items() if tool not in known}:
            await self._write(server, new, "DO NOTHING")
            known = await self.all(server)
        return known

    async def accept(self, server: str, definitions: Mapping[str, str]) -> None:
        """Let these hold from now on."""
        await self._write(
            server, definitions, "DO UPDATE SET definition = excluded.definition, accepted = excluded.accepted"
        )

    async def _write(self, server: str, definitions: Mapping[str, str], conflict: str) -> None:
        sql = f"INSERT INTO mcp_tools VALUES (?, ?, ?, ?) ON CONFLICT (server, tool) {conflict}"
        rows = [(server, tool, definition, time()) for tool, definition in sorted(definitions.items())]

        def write(connection: Connection) -> None:
            for row in rows:
                connection.execute(sql, row)

        await self._database.write(write)


class SentCalls:
    """Which calls were sent, by their identity, and what was answered: a later attempt sends none of them blindly."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, identity: str) -> tuple[bool, str | None]:
        """Whether it was sent, and its answer where that is known."""
        rows = await self._database.read("SELECT answer FROM mcp_calls WHERE identity = ?", (identity,))
        return (True, rows[0]["answer"]) if rows else (False, None)

    async def sending(self, identity: str) -> None:
        row = (identity, datetime.now(UTC).isoformat())
        sql = "INSERT INTO mcp_calls (identity, time) VALUES (?, ?) ON CONFLICT DO NOTHING"
        await self._database.write(lambda connection: connection.execute(sql, row).rowcount)

    async def answered(self, identity: str, answer: str) -> None:
        sql = "UPDATE mcp_calls SET answer = ? WHERE identity = ?"
        await self._database.write(lambda connection: connection.execute(sql, (PrivateText(answer), identity)).rowcount)

    async def unsent(self, identity: str) -> None:
        """It did not reach the server, after all."""
        sql = "DELETE FROM mcp_calls WHERE identity = ?"
        await self._database.write(lambda connection: connection.execute(sql, (identity,)).rowcount)
