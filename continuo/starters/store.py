"""Stores for the commands that read them: as they are while the stack runs, and empty ones before it ever ran."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from continuo.config.settings import Settings, environment
from continuo.errors import InputError
from continuo.stores.database import Database
from continuo.stores.opened import open_store, store_place


class Closeable(Protocol):
    async def aclose(self) -> None: ...


S = TypeVar("S", bound=Closeable)


@asynccontextmanager
async def opened() -> AsyncIterator[Database]:
    """Raises `InputError` for a store that cannot be used."""
    settings, environ = Settings(), environment()
    where, fix = f"in {settings.data}", "set CONTINUO_DATA to a folder that can be written"
    if environ.get("DATABASE_URL"):
        where, fix = "that DATABASE_URL names", "start the server, or correct the URL"
    broken = store_place(settings, environ).broken
    async with usable(lambda: open_store(settings, environ), broken, f"the store {where}", fix) as database:
        yield database


@asynccontextmanager
async def usable(
    opening: Callable[[], S], broken: tuple[type[Exception], ...], what: str, fix: str
) -> AsyncIterator[S]:
    """What `opening` opens, closed at the end; any of the errors `broken` becomes an `InputError` with the fix."""
    try:
        store = opening()
        try:
            yield store
        finally:
            await store.aclose()
    except broken as error:
        raise InputError(f"cannot use {what}: {error}; {fix}") from None
