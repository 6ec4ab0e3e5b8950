"""The store, for the commands that read it: as it is while the stack runs, and an empty one before it ever ran."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from continuo.errors import InputError
from continuo.settings import Settings, environment
from continuo.stores.database import Database
from continuo.stores.opened import open_store


@asynccontextmanager
async def opened() -> AsyncIterator[Database]:
    """Raises `InputError` for a store that cannot be used."""
    settings, environ = Settings(), environment()
    broken: tuple[type[Exception], ...] = (OSError, sqlite3.Error)
    where, fix = f"in {settings.data}", "set CONTINUO_DATA to a folder that can be written"
    if environ.get("DATABASE_URL"):
        # Loaded here, since no other command needs the driver.
        import psycopg

        broken, where, fix = (psycopg.Error,), "that DATABASE_URL names", "start the server, or correct the URL"
    try:
        database = open_store(settings, environ)
        try:
            yield database
        finally:
            await database.aclose()
    except broken as error:
        raise InputError(f"cannot use the store {where}: {error}; {fix}") from None
