"""The results of a batch as a file: a line, or row, for each item that has ended, in the order of the items."""

import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from continuo.errors import InputError
from continuo.guardrails.restoring import Restoring
from continuo.operations.batches import BatchRow
from continuo.starters.parquet import is_parquet, writing
from continuo.stores.batches import BatchStore
from continuo.stores.database import Row

PAGE = 100

COLUMNS = {"item": "int64", **dict.fromkeys(("id", "status", "text", "outcome", "error"), "string")}
"""Those of Parquet, where `outcome` and `error` are JSON."""

Result = dict[str, Any]


async def write_results(store: BatchStore, batch: BatchRow, private: Restoring, path: Path) -> int:
    """Write them all, with the values that `private` knows; how many they are. The file is there whole or as it was
    before.

    Raises `InputError` where it cannot be written.
    """
    draft, count = path.with_name(f".{path.name}.{os.getpid()}"), 0
    try:
        with draft.open("wb") as file:
            with (_parquet if is_parquet(path) else _jsonl)(file) as write:
                async for results in _results(store, batch, private):
                    write(results)
                    count += len(results)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise InputError(f"--output {path}: cannot be written: {error.strerror}; name another file") from None
    finally:
        draft.unlink(missing_ok=True)
    return count


@contextmanager
def _jsonl(file: IO[bytes]) -> Iterator[Callable[[Sequence[Result]], None]]:
    yield lambda results: file.writelines(_json(result) + b"\n" for result in results)


@contextmanager
def _parquet(file: IO[bytes]) -> Iterator[Callable[[Sequence[Result]], None]]:
    with writing(file, COLUMNS) as write:
        yield lambda results: write([_row(result) for result in results])


def _row(result: Result) -> Result:
    ends: Result = {name: _json(result[name]).decode() for name in ("outcome", "error") if name in result}
    return {**result, **ends, "text": result["outcome"]["text"] if "outcome" in result else None}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


async def _results(store: BatchStore, batch: BatchRow, private: Restoring) -> AsyncIterator[list[Result]]:
    after = 0
    while rows := await store.results(batch.tenant, batch.id, after, PAGE):
        yield [private.restored_wire(_result(row)) for row in rows]
        after = rows[-1]["number"]


def _result(row: Row) -> Result:
    own = {} if row["own"] is None else {"id": row["own"]}
    what = "outcome" if row["state"] == "done" else "error"
    return {"item": row["number"], **own, "status": row["state"], what: json.loads(row["result"])}
