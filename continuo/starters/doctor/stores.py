"""The data folder, and the stores there or behind their URLs."""

import asyncio
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path

from continuo.authoring.library import Library
from continuo.starters.doctor.check import Finding
from continuo.starters.store import opened, usable
from continuo.stores.backend import address
from continuo.stores.cache import Place
from continuo.stores.opened import cache_place, open_cache, store_place

LITTLE = 2**30
"""Bytes of free space below which there is a warning."""

CHECKED_FOR = 3.0
"""Seconds for which SQLite files are checked."""

WRITABLE = "set CONTINUO_DATA to a folder that can be written"


async def data_folder(library: Library) -> Finding:
    return await asyncio.to_thread(_data_folder, library.settings.data)


def _data_folder(folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        message = f"cannot write in {folder}: {error.strerror}"
        return Finding("error", message, WRITABLE)
    message = f"{folder} can be written, {free / 2**30:.1f} GiB are free"
    if free < LITTLE:
        return Finding("warning", message, "make room, see `continuo prune`; or set CONTINUO_DATA to another disk")
    return Finding("ok", message)


async def data_files(library: Library) -> Finding:
    return await asyncio.to_thread(_data_files, sorted(library.settings.data.glob("*.db")))


def _data_files(paths: list[Path]) -> Finding:
    """SQLite's quick check of each file; what there is no time for is said to be unchecked."""
    deadline, sound, unchecked = time.monotonic() + CHECKED_FOR, [], []
    for path in paths:
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=1)) as connection:
                connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
                [[result], *_] = connection.execute("PRAGMA quick_check(1)").fetchall()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY):
                unchecked.append(path.name)
                continue
            result = str(error)
        if result != "ok":
            message = f"{path} cannot be used: {result}"
            return Finding("error", message, "end what uses it, and bring it back from a backup or move it away")
        sound.append(path.name)
    late = f"; too large or too busy to be checked: {', '.join(unchecked)}" if unchecked else ""
    return Finding("ok", f"sound: {', '.join(sound) or 'none'}{late}")


async def store(library: Library) -> Finding:
    return await asyncio.to_thread(asyncio.run, _store(library))


async def _store(library: Library) -> Finding:
    async with opened() as database:
        await database.read("SELECT 1 AS one")
    where = address(store_place(library.settings, library.environ).url)
    return Finding("ok", f"{where} opens, its tables are up to date")


async def cache(library: Library) -> Finding:
    return await asyncio.to_thread(asyncio.run, _cache(library))


async def _cache(library: Library) -> Finding:
    url, backend = place = cache_place(library.settings, library.environ)
    where = address(url)
    fix = "start the server, or correct REDIS_URL" if backend.shared else WRITABLE
    nothing = Place(key="doctor", scope="", family="", tenant="", pattern="", holder="doctor")
    opening = partial(open_cache, library.settings, library.environ)
    async with usable(opening, place.broken, f"the cache at {where}", fix) as opened_cache:
        await opened_cache.look_up(nothing, take_off=False, now=time.time())
    return Finding("ok", f"{where} answers")
