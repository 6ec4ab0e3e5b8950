"""Which store it is: that of `DATABASE_URL` and `REDIS_URL` where they are set, else files in the data folder.

Each encrypts what is private where a key is set.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from continuo.config.settings import Settings
from continuo.protection.encryption import cipher
from continuo.stores.backend import Backend, backend, offers
from continuo.stores.cache import Cache
from continuo.stores.database import Database, StoreUnavailable
from continuo.stores.encrypted import EncryptedCache, EncryptedDatabase, EncryptedStreams
from continuo.stores.limits import LimitStore, SqlLimits
from continuo.stores.streams import StreamLog


class Place(NamedTuple):
    """Where a store is."""

    url: str
    backend: Backend

    @property
    def broken(self) -> tuple[type[Exception], ...]:
        """What is raised where the store cannot be used."""
        return (*self.backend.errors(), StoreUnavailable)


def store_place(settings: Settings, environ: Mapping[str, str]) -> Place:
    """Where journal, ledger, budgets and what is known of the breakers are. Raises `InputError`."""
    return _place("DATABASE_URL", "database", settings, environ)


def cache_place(settings: Settings, environ: Mapping[str, str]) -> Place:
    """Where the cache is. Raises `InputError`."""
    return _place("REDIS_URL", "cache", settings, environ)


def open_store(settings: Settings, environ: Mapping[str, str]) -> Database:
    """Journal, ledger, budgets and what is known of the breakers."""
    url, chosen = store_place(settings, environ)
    return _database(chosen.database(url, "store"), environ)


def open_cache(settings: Settings, environ: Mapping[str, str]) -> Cache:
    url, chosen = cache_place(settings, environ)
    key, cache = cipher(environ), chosen.cache(url)
    return EncryptedCache(cache, key) if key else cache


@asynccontextmanager
async def opened_limits(settings: Settings, environ: Mapping[str, str], store: Database) -> AsyncIterator[LimitStore]:
    """What is used of the limits: where `REDIS_URL` says, else in the store itself where that is shared by hosts, else
    in a file beside it."""
    if environ.get("REDIS_URL"):
        url, chosen = _place("REDIS_URL", "limits", settings, environ)
        async with chosen.limits(url) as limits:
            yield limits
        return
    url, chosen = store_place(settings, environ)
    if chosen.shared:
        yield SqlLimits(store)
        return
    database = chosen.database(url, "limits")
    try:
        yield SqlLimits(database)
    finally:
        await database.aclose()


@asynccontextmanager
async def opened_streams(settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[StreamLog]:
    """The stream log: where `REDIS_URL` says, else in the store if that has one, else in a file of the data folder."""
    if environ.get("REDIS_URL"):
        url, chosen = _place("REDIS_URL", "streams", settings, environ)
    else:
        url, chosen = store_place(settings, environ)
        if not offers(chosen, "streams"):
            url, chosen = _place("DATABASE_URL", "streams", settings, {})
    key = cipher(environ)
    async with chosen.streams(url, settings.stream_retention) as streams:
        yield EncryptedStreams(streams, key) if key else streams


@asynccontextmanager
async def opened_payloads(
    settings: Settings, environ: Mapping[str, str], store: Database | None = None
) -> AsyncIterator[Database]:
    """Large prompts and answers: in the store where hosts share that (`store`, if it is open), else in a file."""
    url, chosen = store_place(settings, environ)
    if chosen.shared and store is not None:
        yield store
        return
    database = _database(chosen.database(url, "payloads"), environ)
    try:
        yield database
    finally:
        await database.aclose()


def scrub(settings: Settings, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Leave nothing in the files of any store of what was deleted; the names of those of which that could not be done.
    It blocks."""
    places = {_place("DATABASE_URL", "scrub", settings, {})}
    for place in (store_place(settings, environ), cache_place(settings, environ)):
        if offers(place.backend, "scrub"):
            places.add(place)
    return tuple(
        name for place in sorted(places, key=lambda place: place.url) for name in place.backend.scrub(place.url)
    )


def _database(database: Database, environ: Mapping[str, str]) -> Database:
    key = cipher(environ)
    return EncryptedDatabase(database, key) if key else database


def _place(variable: str, offering: str, settings: Settings, environ: Mapping[str, str]) -> Place:
    url = environ.get(variable) or f"sqlite:{settings.data}"
    return Place(url, backend(variable, url, offering))
