"""Dropping old rows in small portions, so that whoever writes meanwhile hardly waits."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from continuo.stores.database import Database

PORTION = 200
"""Rows dropped in one transaction."""

PAUSE = 0.02
"""Seconds after each, in which others write."""


class Aged(NamedTuple):
    """The rows of a table, by the columns of their name and of their time; those alone for which `where` holds."""

    table: str
    name: str
    time: str
    where: str = "1 = 1"
    values: tuple[str, ...] = ()


JOURNAL = Aged("journal", "identity", "time")
MCP_CALLS = Aged("mcp_calls", "identity", "time")
LEDGER = Aged("ledger", "identity", "time")
RUNS = Aged("runs", "run_id", "started", "status <> 'running'")


def payloads(namespace: str) -> Aged:
    """What is kept for the histories of one namespace."""
    return Aged("payloads", "sha256", "used", "namespace = ?", (namespace,))


async def prune(
    database: Database, rows: Aged, before: str | float, needed: Callable[[str], bool], *, dry_run: bool
) -> int:
    """Drop the rows that are from `before` that time and whose name is not `needed`; how many they are.

    A row that is used again meanwhile stays: the statement that drops looks at the time once more.
    """
    table, name, time, where, given = rows
    old, values = f"FROM {table} WHERE {where} AND {time} < ?", [*given, before]
    page = f"SELECT {time} AS time, {name} AS name {old} AND ({time}, {name}) > (?, ?) ORDER BY 1, 2 LIMIT {PORTION}"

    async def drop(names: list[str]) -> int:
        sql = f"DELETE {old} AND {name} IN ({', '.join('?' * len(names))})"
        dropped = await database.write(lambda connection: connection.execute(sql, (*values, *names)).rowcount)
        await asyncio.sleep(PAUSE)
        return dropped

    count, last = 0, [type(before)(), ""]
    while page_rows := await database.read(page, (*values, *last)):
        last = [page_rows[-1]["time"], page_rows[-1]["name"]]
        unneeded = [row["name"] for row in page_rows if not needed(row["name"])]
        count += await drop(unneeded) if unneeded and not dry_run else len(unneeded)
    return count
