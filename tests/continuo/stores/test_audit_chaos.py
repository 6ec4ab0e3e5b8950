"""Many writers at once, killed again and again: each chain is one, whole, and has all that was entered, once."""

import asyncio
import json
import os
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

from continuo.operations.audit import Head
from continuo.stores.audit import chains, links, verified
from continuo.stores.database import Database

pytestmark = pytest.mark.chaos

WRITERS, KILLS, TENANTS = 4, 4, ("acme", "globex")


class Writer:
    """A process that enters, and the last of what it said that it has entered."""

    def __init__(self, number: int, environment: dict[str, str]) -> None:
        self.number = number
        self.entered = -1
        self._line = (sys.executable, "-m", "tests.continuo.stores.enterers", f"{number}")
        self._environment = environment

    async def start(self) -> None:
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*self._line, env=self._environment, stdout=pipe)

    async def said(self, batches: int) -> None:
        """Read so many batches, or all to its end."""
        assert self.process.stdout is not None
        while batches and (line := await self.process.stdout.readline()):
            if line.strip().isdigit():
                self.entered, batches = max(self.entered, int(line)), batches - 1

    async def kill(self) -> None:
        self.process.kill()
        await self.said(-1)
        await self.process.wait()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("store_environ", ["sqlite", "postgres"], indirect=True)
async def test_writers_that_are_killed_make_one_chain_of_each_tenant(
    database: Database, store_environ: dict[str, str], tmp_path: Path
) -> None:
    environment = {**os.environ, **store_environ, "CONTINUO_DATA": str(tmp_path)}
    environment.pop("DATABASE_URL" if not store_environ else "", None)
    writers = [Writer(number, environment) for number in range(WRITERS)]
    chance, heads = random.Random(7), list[Head]()
    for writer in writers:
        await writer.start()
    for _ in range(KILLS):
        writer = chance.choice(writers)
        await writer.said(chance.randint(1, 4))
        await writer.kill()
        heads += [Head(tenant=one.tenant, seq=one.seq, hash=one.hash) for one in await chains(database)]
        await writer.start()
    for writer in writers:
        await writer.kill()
    for tenant in TENANTS:
        kept = [head for head in heads if head.tenant == tenant]
        assert len(kept) == KILLS
        assert await verified(database, tenant, kept) == (await chains(database, tenant))[0].seq
    entries = [json.loads(link.entry) for tenant in TENANTS async for link in links(database, tenant)]
    counts = Counter((entry["run"], entry["event"]) for entry in entries)
    assert {*counts.values()} == {1}
    expected = {(f"{one.number // 2}-{number}", "ended") for one in writers for number in range(one.entered + 1)}
    assert expected
    assert expected <= counts.keys()
    # What is in the one table is in the other: both are written together.
    assert {row["run_id"] for row in await database.read("SELECT run_id FROM runs")} == {run for run, _ in counts}
