"""A region: a cluster whose parts are started one after the other, and lost at once."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg

from benchmarks.cluster.cluster import Cluster
from continuo.config.settings import Settings
from continuo.stores.opened import open_store
from continuo.testing.processes import kill
from continuo.workers.local.processes import Child
from continuo.workers.local.supervision import start

SERVICES = {"gateway": 1, "critical": 0, "standard": 1, "batch": 0}


@dataclass(frozen=True)
class Kept:
    """What a store has: when each answer was journalled and each request came, by their ids, in seconds since 1970."""

    answers: Mapping[str, float]
    requests: Mapping[str, float]


class Region(Cluster):
    """Models are asked outside of it."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        super().__init__(folder, variables=variables, services=SERVICES)

    def _pool(self, name: str, metrics: str) -> Child:
        # A port that is free now could be taken when the second region serves.
        return super()._pool(name, "")

    @asynccontextmanager
    async def ending(self) -> AsyncIterator[None]:
        """At the end nothing of it is left."""
        try:
            yield
        finally:
            await self.lose()

    async def prepare(self) -> None:
        """Start what holds nothing of ours yet."""
        await start([self.redis, self.temporal])

    async def serve(self) -> None:
        """Start what needs a store that can be written to, until requests are taken."""
        await start([*self.pools, *self.gateways])
        await start([self.balancer] if self.balancer else [])

    async def lose(self) -> None:
        """SIGKILL for all of it; nobody accepts a connection any more."""
        if self.listener:
            self.listener.close()
        running = [child for child in self._all() if child.process and child.process.returncode is None]
        await asyncio.gather(*map(kill, running))

    async def is_followed(self) -> bool:
        """Whether its PostgreSQL sends all that it writes to a standby."""
        return ("streaming",) in await self.sql("SELECT state FROM pg_stat_replication")

    async def kept(self) -> Kept:
        async with aclosing(open_store(Settings(), self.environment)) as store:
            answers = await store.read("SELECT identity, time FROM journal")
            requests = await store.read("SELECT id, received FROM requests")
        return Kept(
            answers={row["identity"]: datetime.fromisoformat(row["time"]).timestamp() for row in answers},
            requests={row["id"]: row["received"] for row in requests},
        )

    async def sql(self, statement: str) -> list[tuple[object, ...]]:
        """The rows of one statement of PostgreSQL's own."""
        async with await psycopg.AsyncConnection.connect(self.postgresql.url, autocommit=True) as connection:
            cursor = await connection.execute(statement.encode())
            return await cursor.fetchall() if cursor.description else []
