"""PostgreSQL, shared by hosts."""

from continuo.stores.backend import Backend
from continuo.stores.database import Database
from continuo.stores.migrations import PARTS, Part


class PostgresBackend(Backend):
    schemes = frozenset({"postgres", "postgresql"})

    def database(self, url: str, part: Part) -> Database:
        # The driver takes as long to load as all else that a process without it needs.
        from continuo.stores.postgres.database import Postgres

        return Postgres(url, PARTS)

    def errors(self) -> tuple[type[Exception], ...]:
        import psycopg

        return (psycopg.Error,)
