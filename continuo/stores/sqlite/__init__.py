"""SQLite, in files of one folder: `sqlite:FOLDER`."""

from pathlib import Path

from continuo.stores.backend import Backend
from continuo.stores.cache import Cache
from continuo.stores.database import Database
from continuo.stores.migrations import PARTS, Part

FILES: dict[Part, str] = {"store": "continuo.db", "limits": "limits.db", "payloads": "payloads.db"}


class SqliteBackend(Backend):
    schemes = frozenset({"sqlite"})
    shared = False

    def database(self, url: str, part: Part) -> Database:
        from continuo.stores.sqlite.database import Sqlite

        # What is lost of the limits with the machine's power is over anyway, and need not wait for the disk.
        return Sqlite(_folder(url) / FILES[part], PARTS[part], durable=part != "limits")

    def cache(self, url: str) -> Cache:
        from continuo.stores.sqlite.cache import open_file

        return open_file(_folder(url) / "cache.db")

    def errors(self) -> tuple[type[Exception], ...]:
        import sqlite3

        return (OSError, sqlite3.Error)


def _folder(url: str) -> Path:
    return Path(url.partition(":")[2])
