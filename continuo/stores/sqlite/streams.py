"""News of the stream log in a file: no process can tell another, so each looks, as long as anybody waits there."""

import asyncio

import structlog

from continuo.stores.database import Database, StoreUnavailable
from continuo.stores.streams import Watches

log = structlog.get_logger()

TICK = 0.004
"""Seconds between two looks whether any process has written, which takes some microseconds."""

AWAY = 1.0
"""Seconds after which a file that could not be read is looked at again."""

_NEWS = "SELECT run, MAX(rowid) AS number FROM stream_batches WHERE rowid > ? GROUP BY run"


async def follow(database: Database, watches: Watches) -> None:
    """Tell those who wait, for ever."""
    version, number = None, 0
    while True:
        await watches.wanted()
        try:
            [row] = await database.read("PRAGMA data_version")
            if row["data_version"] != version:
                version, number = row["data_version"], await _tell(database, watches, number)
        except StoreUnavailable as error:
            log.warning("the stream log cannot be read", error=str(error))
            await asyncio.sleep(AWAY)
        await asyncio.sleep(TICK)


async def _tell(database: Database, watches: Watches, number: int) -> int:
    """The number of the newest batch, after those were told whose runs have one above `number`."""
    [row] = await database.read("SELECT COALESCE(MAX(rowid), 0) AS number FROM stream_batches")
    newest: int = row["number"]
    if number == 0 or newest < number:
        # Where the last ones were pruned the numbers begin anew.
        watches.tell_all()
        return newest
    for row in await database.read(_NEWS, (number,)):
        watches.tell(row["run"])
    return newest
