"""The end of every attempt reaches the store, however long that is away: an answer is never asked for again."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path

import structlog
from pydantic import ValidationError

from continuo.errors import InputError
from continuo.jobs import Outcome
from continuo.protection.encryption import Cipher
from continuo.stores.database import StoreUnavailable
from continuo.stores.journal import Journal
from continuo.stores.ledger import Settlement
from continuo.stores.private import opened_bytes, sealed_bytes

log = structlog.get_logger()

FIRST_PAUSE, LAST_PAUSE = 0.1, 5.0
"""Seconds between two tries to record."""

CANCELLED = 2.0
"""Seconds for which a cancellation is held back while what was paid is recorded."""

CLOSING = 4.0
"""Seconds that a worker that stops gives to what is not recorded yet."""


class Settling:
    """Records settlements; what cannot be recorded is held, and kept in a file of `folder` until it is booked."""

    def __init__(self, journal: Journal, folder: Path, cipher: Cipher | None = None) -> None:
        self._journal = journal
        self._folder = folder
        self._cipher = cipher
        self._held: dict[str, Outcome] = {}
        self._writing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Inside, what earlier processes left in files is booked too."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                settlement = self._read(path)
            except FileNotFoundError:
                continue
            except (OSError, ValidationError, InputError) as error:
                log.error("a file of an unrecorded answer cannot be read", file=str(path), error=str(error))
                continue
            self._begin(settlement, asyncio.get_running_loop().create_future())
        try:
            yield
        finally:
            if self._writing:
                await asyncio.wait(self._writing, timeout=CLOSING)
            for task in self._writing:
                task.cancel()
            await asyncio.gather(*self._writing, return_exceptions=True)

    async def find(self, identity: str, question: str | None = None) -> Outcome | None:
        """The answer that the call already has, recorded or not; see `Journal.find`."""
        if (held := self._held.get(identity)) is not None:
            return held
        # The folder is nearly always empty, and looked into by every call. A file goes when it is in the journal, which
        # is looked into afterwards.
        for path in self._folder.iterdir() if self._folder.exists() else ():
            if path.name.startswith(f"{_name(identity)}-") and path.suffix == ".json":
                with suppress(FileNotFoundError):
                    settlement = self._read(path)
                    if settlement.outcome is not None:
                        return settlement.outcome
        return await self._journal.find(identity, question)

    async def settle(self, settlement: Settlement, patience: float) -> None:
        """Record it. While that fails it is held and tried again; returns when it is recorded or kept in a file,
        or after `patience` seconds, and then goes on. A caller who is cancelled meanwhile has it recorded all the same,
        and hears of the cancellation only if that takes long: what was paid can then be told."""
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ends = {self._begin(settlement, safe), safe}
        try:
            await asyncio.wait(ends, timeout=max(0.0, patience), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if not (await asyncio.wait(ends, timeout=CANCELLED, return_when=asyncio.FIRST_COMPLETED))[0]:
                raise

    def _begin(self, settlement: Settlement, safe: asyncio.Future[None]) -> asyncio.Task[None]:
        if settlement.outcome is not None:
            self._held[settlement.identity] = settlement.outcome
        task = asyncio.create_task(self._record(settlement, safe))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    async def _record(self, settlement: Settlement, safe: asyncio.Future[None]) -> None:
        path, pause = self._folder / f"{_name(settlement.identity)}-{settlement.attempt}.json", FIRST_PAUSE
        try:
            while True:
                try:
                    await self._journal.settle(settlement)
                    break
                except StoreUnavailable as error:
                    log.warning("what a call came to cannot be recorded yet", error=str(error))
                    if not safe.done() and await asyncio.to_thread(_keep, path, self._written(settlement)):
                        safe.set_result(None)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LAST_PAUSE)
        except Exception as error:
            # Kept for a person: to record it again would fail in the same way.
            log.error("what a call came to cannot be recorded", identity=settlement.identity, exc_info=error)
            await asyncio.to_thread(_keep, path.with_suffix(".failed"), self._written(settlement))
        else:
            path.unlink(missing_ok=True)
        finally:
            self._held.pop(settlement.identity, None)

    def _read(self, path: Path) -> Settlement:
        content = path.read_bytes()
        return Settlement.model_validate_json(opened_bytes(self._cipher, content) if self._cipher else content)

    def _written(self, settlement: Settlement) -> bytes:
        content = settlement.model_dump_json(exclude_defaults=True).encode()
        return sealed_bytes(self._cipher, content) if self._cipher else content


def _name(identity: str) -> str:
    return sha256(identity.encode()).hexdigest()[:32]


def _keep(path: Path, content: bytes) -> bool:
    """Write the file so that it is whole or not there; False, and a line in the log, where the disk takes nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        log.error("an answer that cannot be recorded is held in memory alone", error=str(error))
        return False
    return True
