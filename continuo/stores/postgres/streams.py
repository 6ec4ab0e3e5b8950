"""News of the stream log in PostgreSQL, by NOTIFY and LISTEN."""

import asyncio

import psycopg
import structlog

from continuo.stores.database import Connection
from continuo.stores.postgres.database import CONNECT_TIMEOUT
from continuo.stores.streams import Watches

log = structlog.get_logger()

CHANNEL = "continuo_streams"

AWAY = 1.0
"""Seconds after which a server that was lost is listened to again."""


def announce(connection: Connection, run: str) -> None:
    """Tell every process, at the end of the transaction, that there is more of the run."""
    connection.execute("SELECT pg_notify(?, ?)", (CHANNEL, run))


async def follow(url: str, watches: Watches) -> None:
    """Tell those who wait, for ever, on a connection of its own from when the first one waits."""
    while True:
        await watches.wanted()
        try:
            async with await psycopg.AsyncConnection.connect(
                url, autocommit=True, connect_timeout=int(CONNECT_TIMEOUT)
            ) as connection:
                await connection.execute(f"LISTEN {CHANNEL}".encode())
                # What was told before is not told again.
                watches.tell_all()
                async for notify in connection.notifies():
                    watches.tell(notify.payload)
        except psycopg.Error as error:
            log.warning("the stream log cannot be listened to", error=" ".join(str(error).split()))
        watches.tell_all()
        await asyncio.sleep(AWAY)
