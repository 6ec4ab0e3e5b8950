import asyncio
import sqlite3
from pathlib import Path

import pytest

from continuo.stores.database import Database


async def test_whatever_an_operation_raises_reaches_its_caller_and_the_next_one_is_done(tmp_path: Path) -> None:
    def wrong(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA user_version = 99")
        raise LookupError("a bug")

    database = Database(tmp_path / "continuo.db", ())
    with pytest.raises(LookupError, match="a bug"):
        await asyncio.wait_for(database.write(wrong), 5)
    assert database.read("PRAGMA user_version")[0][0] == 0
    await asyncio.wait_for(database.write(lambda connection: connection.execute("PRAGMA user_version = 1")), 5)
    assert database.read("PRAGMA user_version")[0][0] == 1
    await database.aclose()
