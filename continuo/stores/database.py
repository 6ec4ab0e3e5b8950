"""What every SQL store is to those that use it: SQLite in a file, or PostgreSQL where `DATABASE_URL` names one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from continuo.errors import InputError

T = TypeVar("T")
Row = dict[str, Any]


class StoreUnavailable(Exception):
    """The store cannot be used for now: it is locked, full or away. What failed may be tried again."""


class Cursor(Protocol):
    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """A connection inside a transaction. Parameters stand as `?`; rows are dictionaries."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor: ...


class Database(Protocol):
    """SQL is written so that both understand it."""

    async def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]: ...

    async def write(self, operation: Callable[[Connection], T], *, durable: bool = True) -> T:
        """What `operation` returns, run in a transaction.

        A `durable` one has reached the disk by then; another can be lost with the machine's power, never with the
        process, and is quicker. The operation must be harmless when repeated, must not commit, and tells by its result
        what went wrong, since others may share its transaction. It is not undone when the caller is cancelled.
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
