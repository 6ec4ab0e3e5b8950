"""SQLite, in files of one folder: `sqlite:FOLDER`."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from continuo.stores.backend import Backend
from continuo.stores.cache import Cache
from continuo.stores.database import Database
from continuo.stores.migrations import PARTS, Part
from continuo.stores.sql_streams import SqlStreams
from continuo.stores.streams import StreamLog, Watches, beside

FILES: dict[Part, str] = {
    "store": "continuo.db",
    "limits": "limits.db",
    "payloads": "payloads.db",
    "streams": "streams.db",
}

PASSING = ("limits", "streams")
"""What is lost of these with the machine's power need not wait for the disk: limits are over by then, and the readers
of streams gone."""


class SqliteBackend(Backend):
    schemes = frozenset({"sqlite"})
    shared = False

    def database(self, url: str, part: Part) -> Database:
        from continuo.stores.sqlite.database import Sqlite

        return Sqlite(_folder(url) / FILES[part], PARTS[part], durable=part not in PASSING)

    def cache(self, url: str) -> Cache:
        from continuo.stores.sqlite.cache import open_file

        return open_file(_folder(url) / "cache.db")

    @asynccontextmanager
    async def streams(self, url: str, kept: float) -> AsyncIterator[StreamLog]:
        from continuo.stores.sqlite.streams import follow

        watches = Watches()
        async with aclosing(self.database(url, "streams")) as database, beside(follow(database, watches)):
            yield SqlStreams(database, watches, kept)

    def scrub(self, url: str) -> tuple[str, ...]:
        from continuo.stores.sqlite.scrub import is_scrubbed

        # That of an embedded Temporal server stands there too.
        return tuple(path.name for path in sorted(_folder(url).glob("*.db")) if not is_scrubbed(path))

    def errors(self) -> tuple[type[Exception], ...]:
        import sqlite3

        return (OSError, sqlite3.Error)


def _folder(url: str) -> Path:
    return Path(url.partition(":")[2])
