"""Stores whose prompts and answers are encrypted: any backend's, with a cipher around it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from continuo.deltas import Delta, TextDelta
from continuo.errors import InputError
from continuo.jobs import Outcome
from continuo.protection.encryption import Cipher
from continuo.stores.cache import Cache, Lookup, Place, served, stripped
from continuo.stores.database import Connection, Cursor, Database, Row
from continuo.stores.private import MARK, PrivateBytes, PrivateText, opened, opened_bytes, sealed, sealed_bytes
from continuo.stores.streams import Claim, StreamLog, Writer, decoded, encoded

T = TypeVar("T")

COLUMNS = frozenset({"outcome", "body", "answer", "content", "input", "result", "terms", "error", "salt", "comment"})
"""The columns that are looked into. In others a text that looks encrypted is one of a user."""


class EncryptedDatabase:
    """Encrypts the parameters that are marked as private."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database, self._cipher = database, cipher

    async def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        return [_row(self._cipher, row) for row in await self._database.read(sql, parameters)]

    async def write(self, operation: Callable[[Connection], T], *, durable: bool = True) -> T:
        def encrypted(connection: Connection) -> T:
            return operation(_Connection(connection, self._cipher))

        return await self._database.write(encrypted, durable=durable)

    async def aclose(self) -> None:
        await self._database.aclose()


@dataclass(frozen=True)
class _Connection:
    connection: Connection
    cipher: Cipher

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        values = [_value(self.cipher, value) for value in parameters]
        return _Cursor(self.connection.execute(sql, values), self.cipher)


@dataclass(frozen=True)
class _Cursor:
    cursor: Cursor
    cipher: Cipher

    @property
    def rowcount(self) -> int:
        return self.cursor.rowcount

    def fetchone(self) -> Any:
        row = self.cursor.fetchone()
        return row and _row(self.cipher, row)

    def fetchall(self) -> list[Any]:
        return [_row(self.cipher, row) for row in self.cursor.fetchall()]


def _value(cipher: Cipher, value: object) -> object:
    match value:
        case PrivateText():
            return sealed(cipher, value)
        case PrivateBytes():
            return sealed_bytes(cipher, value)
    return value


def _row(cipher: Cipher, row: Row) -> Row:
    return {name: _shown(cipher, value) if name in COLUMNS else value for name, value in row.items()}


def _shown(cipher: Cipher, value: object) -> object:
    match value:
        case str():
            return opened(cipher, value)
        case bytes() | memoryview():
            return opened_bytes(cipher, bytes(value))
    return value


class EncryptedCache:
    """Keeps each answer as an outcome whose text is the answer, encrypted. Embeddings are compared, and so not."""

    def __init__(self, cache: Cache, cipher: Cipher) -> None:
        self._cache, self._cipher = cache, cipher

    async def find(self, key: str, now: float) -> Outcome | None:
        return self._opened(await self._cache.find(key, now))

    async def note_use(self, key: str, *, hits: int, now: float) -> None:
        await self._cache.note_use(key, hits=hits, now=now)

    async def look_up(self, place: Place, *, take_off: bool, now: float) -> Lookup:
        return self._looked_up(await self._cache.look_up(place, take_off=take_off, now=now))

    async def similar(self, place: Place, embedding: bytes, threshold: float, now: float) -> Lookup:
        return self._looked_up(await self._cache.similar(place, embedding, threshold, now))

    async def extend(self, place: Place, *, now: float) -> None:
        await self._cache.extend(place, now=now)

    async def land(self, place: Place) -> None:
        await self._cache.land(place)

    async def keep(self, place: Place, outcome: Outcome, *, ttl: float, max_size: int, now: float) -> None:
        text = sealed(self._cipher, stripped(outcome).model_dump_json(exclude_defaults=True))
        envelope = Outcome(text=text, served_by=outcome.served_by)
        await self._cache.keep(place, envelope, ttl=ttl, max_size=max_size, now=now)

    async def invalidate(self, key: str) -> bool:
        return await self._cache.invalidate(key)

    async def clear(self, tenant: str | None) -> int:
        return await self._cache.clear(tenant)

    async def prune(self, *, now: float, dry_run: bool) -> int:
        return await self._cache.prune(now=now, dry_run=dry_run)

    async def entries(self, tenant: str | None, now: float) -> list[Row]:
        rows = await self._cache.entries(tenant, now)
        texts = [self._text(Outcome.model_validate_json(row["outcome"])) for row in rows]
        return [{**row, "outcome": text} for row, text in zip(rows, texts, strict=True) if text is not None]

    async def aclose(self) -> None:
        await self._cache.aclose()

    def _looked_up(self, lookup: Lookup) -> Lookup:
        return lookup.model_copy(update={"outcome": self._opened(lookup.outcome)})

    def _opened(self, envelope: Outcome | None) -> Outcome | None:
        text = envelope and self._text(envelope)
        return served(text) if text else None

    def _text(self, envelope: Outcome) -> str | None:
        """The answer as JSON. One that was kept without a key, or with one that is no more, is none."""
        if not envelope.text.startswith(MARK):
            return None
        with suppress(InputError):
            return opened(self._cipher, envelope.text)
        return None


class EncryptedStreams:
    """Keeps each piece as a text that is the piece, encrypted."""

    def __init__(self, streams: StreamLog, cipher: Cipher) -> None:
        self._streams, self._cipher = streams, cipher

    async def claim(self, writer: Writer, now: float) -> Claim:
        return await self._streams.claim(writer, now)

    async def append(self, writer: Writer, after: int, pieces: Sequence[Delta], now: float) -> bool:
        return await self._streams.append(writer, after, [self._sealed(piece) for piece in pieces], now)

    async def read(self, run: str, after: int) -> list[Delta]:
        return [self._opened(piece) for piece in await self._streams.read(run, after)]

    def watched(self, run: str) -> AbstractContextManager[asyncio.Event]:
        return self._streams.watched(run)

    async def forget(self, runs: Sequence[str], *, dry_run: bool) -> int:
        return await self._streams.forget(runs, dry_run=dry_run)

    async def prune(self, now: float, *, dry_run: bool) -> int:
        return await self._streams.prune(now, dry_run=dry_run)

    def _sealed(self, piece: Delta) -> Delta:
        return TextDelta(sealed(self._cipher, encoded([piece]).decode()))

    def _opened(self, piece: Delta) -> Delta:
        # One that was written before there was a key may begin as an encrypted one does: then it is no piece either.
        if not isinstance(piece, TextDelta):
            return piece
        text = opened(self._cipher, piece.text)
        return piece if text is piece.text else decoded(text)[0]
