"""`continuo cache`: what is kept, and dropping it."""

import json as jsonlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from cyclopts import App, Parameter

from continuo.config.settings import Settings, environment
from continuo.cut import cut
from continuo.data import duration
from continuo.errors import InputError
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import out
from continuo.starters.store import usable
from continuo.stores.backend import address
from continuo.stores.cache import Cache
from continuo.stores.opened import cache_place, open_cache

cache = App(name="cache", help="List and drop the answers that are kept.")


@cache.command(name="list")
async def list_entries(*, tenant: str | None = None, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """List the answers that are kept, the last used first.

    Parameters
    ----------
    tenant
        Those of this tenant alone.
    json
        Print them as JSON, whole.
    """
    now = time.time()
    async with _opened() as store:
        rows = await store.entries(tenant, now)
    if json:
        names = ("key", "tenant", "pattern", "stored", "expires", "used", "hits")
        entries = [{**{name: row[name] for name in names}, "outcome": jsonlib.loads(row["outcome"])} for row in rows]
        out.out(jsonlib.dumps(entries, indent=2))
        return 0
    columns = (
        Column("key"),
        Column("tenant", rank=2),
        Column("pattern", rank=3),
        Column("left", rank=4, number=True),
        Column("hits", rank=1, number=True),
        Column("answer"),
    )
    table = FittedTable(*columns, empty="no answers are kept")
    for row in rows:
        text = cut(jsonlib.loads(row["outcome"])["text"], out.width)
        left = str(duration(float(round(row["expires"] - now) or 1)))
        table.add_row(row["key"][:12], row["tenant"], row["pattern"], left, str(row["hits"]), text)
    out.print(table)
    return 0


@cache.command
async def invalidate(key: str) -> int:
    """Drop one answer.

    Parameters
    ----------
    key
        Its key, or the beginning of it, as `continuo cache list` shows.
    """
    async with _opened() as store:
        keys = [row["key"] for row in await store.entries(None, time.time()) if row["key"].startswith(key)]
        if len(keys) != 1:
            what = f"{len(keys)} answers have keys that begin" if keys else "no answer has a key that begins"
            raise InputError(f"key: {what} with {key!r}; see `continuo cache list`")
        await store.invalidate(keys[0])
    out.print(f"dropped {keys[0]}")
    return 0


@cache.command
async def clear(*, tenant: str | None = None) -> int:
    """Drop all answers.

    Parameters
    ----------
    tenant
        Those of this tenant alone.
    """
    async with _opened() as store:
        count = await store.clear(tenant)
    out.print(f"answers dropped: {count}")
    return 0


@asynccontextmanager
async def _opened() -> AsyncIterator[Cache]:
    settings, environ = Settings(), environment()
    where, fix = str(settings.data / "cache.db"), "set CONTINUO_DATA, or delete the file"
    if url := environ.get("REDIS_URL"):
        where, fix = address(url), "start Redis there, or correct or unset REDIS_URL"
    broken = cache_place(settings, environ).broken
    async with usable(lambda: open_cache(settings, environ), broken, f"the cache in {where}", fix) as store:
        yield store
