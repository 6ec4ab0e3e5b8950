"""PostgreSQL, shared by hosts."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from continuo.stores.backend import Backend
from continuo.stores.database import Database
from continuo.stores.migrations import PARTS, Part
from continuo.stores.sql_streams import SqlStreams
from continuo.stores.streams import StreamLog, Watches, beside


class PostgresBackend(Backend):
    schemes = frozenset({"postgres", "postgresql"})

    def database(self, url: str, part: Part) -> Database:
        # The driver takes as long to load as all else that a process without it needs.
        from continuo.stores.postgres.database import Postgres

        return Postgres(url, PARTS)

    @asynccontextmanager
    async def streams(self, url: str, kept: float) -> AsyncIterator[StreamLog]:
        from continuo.stores.postgres.streams import announce, follow

        watches = Watches()
        async with aclosing(self.database(url, "streams")) as database, beside(follow(url, watches)):
            yield SqlStreams(database, watches, kept, announce)

    def errors(self) -> tuple[type[Exception], ...]:
        import psycopg

        return (psycopg.Error,)
