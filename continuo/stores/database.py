"""What every SQL store is to those that use it: SQLite in a file, or PostgreSQL where `DATABASE_URL` names one."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from continuo.errors import InputError

T = TypeVar("T")
Row = dict[str, Any]


class StoreUnavailable(Exception):
    """The store cannot be used now, and can again when what keeps it passes: locked, disk full, an I/O error, a lost
    connection, a server that starts. Nothing of the operation is kept, unless the connection broke at its commit."""


@dataclass(frozen=True)
class Failed:
    """What an operation raised, as a value: a future that holds it can be left by its caller without a complaint."""

    error: Exception


async def kept(work: asyncio.Future[T | Failed]) -> T:
    """What `work` comes to, or raise its error. It goes on when the caller is cancelled."""
    result = await asyncio.shield(work)
    if isinstance(result, Failed):
        raise result.error
    return result


class Cursor(Protocol):
    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """A connection inside a transaction. Parameters stand as `?`; rows are dictionaries."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor: ...


class Database(Protocol):
    """SQL is written so that both understand it. Reading and writing raise `StoreUnavailable` after some seconds of
    patience; what a bug raises reaches the caller as it is."""

    async def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]: ...

    async def write(self, operation: Callable[[Connection], T], *, durable: bool = True) -> T:
        """What `operation` returns, run in a transaction.

        A `durable` one has reached the disk by then; another can be lost with the machine's power, never with the
        process, and is quicker. The operation must be harmless when repeated, and must not commit. If it raises,
        nothing of it is kept; others who share its transaction are not concerned. It is not undone when the caller is
        cancelled.
        """

    async def aclose(self) -> None:
        """Wait for the writes under way, then close every connection."""


def pending(version: int, migrations: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The statements that lead from `version` to the newest, each with the version that its script makes.

    Raises `InputError` for a store that knows more than we do: there is no way back.
    """
    if version > len(migrations):
        raise InputError(f"the store has version {version}, this program knows {len(migrations)}; use a newer Continuo")
    for number, script in enumerate(migrations[version:], version + 1):
        for statement in filter(str.strip, script.split(";")):
            yield number, statement
