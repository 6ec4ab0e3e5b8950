"""Random faults under many writers: what was acknowledged is there, what was refused is not, and the store recovers."""

import asyncio
import random
from pathlib import Path

import psycopg
import pytest

from continuo.config.settings import Settings
from continuo.stores.database import Database, StoreUnavailable
from continuo.stores.migrations import STORE
from continuo.stores.opened import open_store
from continuo.stores.sqlite import database as sqlite
from continuo.stores.sqlite.database import Sqlite
from tests.continuo.stores.test_store_faults import full, locked, publish, published
from tests.support.stores import emptied, postgres

pytestmark = pytest.mark.chaos


async def storm(database: Database, name: str, chance: random.Random) -> tuple[set[str], set[str]]:
    """Many writes at once, of all sizes: the names of those acknowledged and of those refused."""
    names = [f"{name}-{n}" for n in range(30)]
    sizes = [chance.choice([1, 1_000, 100_000]) for _ in names]
    writes = (
        database.write(publish(one, size), durable=chance.random() < 0.5)
        for one, size in zip(names, sizes, strict=True)
    )
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert {type(result) for result in results if result is not None} <= {StoreUnavailable}
    refused = {one for one, result in zip(names, results, strict=True) if result is not None}
    return set(names) - refused, refused


async def test_a_file_that_is_full_or_locked_keeps_what_it_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.1)
    chance, path, kept, refused = random.Random(0), tmp_path / "continuo.db", set[str](), set[str]()
    database = Sqlite(path, STORE)
    for turn in range(8):
        with chance.choice([full, locked])(path):
            good, bad = await storm(database, f"{turn}", chance)
        kept, refused = kept | good, refused | bad
        await database.write(publish(f"after-{turn}"))
        kept.add(f"after-{turn}")
        assert set(await published(database)) == kept
    assert refused
    await database.aclose()


async def test_a_postgres_whose_connections_die_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    async with postgres(tmp_path / "postgres") as server:
        url = await emptied(server)
        database = open_store(Settings(data=tmp_path), {"DATABASE_URL": url})
        async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
            for turn in range(8):
                # A write whose commit was cut off is repeated, and meets itself.
                writing = asyncio.gather(
                    *(
                        database.write(
                            lambda c, n=n, t=turn: (
                                c.execute(  # type: ignore[misc]
                                    "INSERT INTO breakers VALUES (?, 1, '') ON CONFLICT DO NOTHING", (f"{t}-{n}",)
                                ).rowcount
                            )
                        )
                        for n in range(30)
                    )
                )
                others = "pid <> pg_backend_pid() AND datname = current_database()"
                await connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
                await writing
                assert len(await published(database)) == 30 * (turn + 1)
        await database.aclose()
