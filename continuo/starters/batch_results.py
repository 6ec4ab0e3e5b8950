"""The results of a batch as a file: a line for each item that has ended, in the order of the items."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

from continuo.errors import InputError
from continuo.operations.batches import BatchRow
from continuo.stores.batches import BatchStore

PAGE = 100


async def write_results(store: BatchStore, batch: BatchRow, path: Path) -> int:
    """Write them all; how many they are. The file is there whole or as it was before.

    Raises `InputError` where it cannot be written.
    """
    draft, count = path.with_name(f".{path.name}.{os.getpid()}"), 0
    try:
        with draft.open("w", encoding="utf-8") as file:
            async for line in _lines(store, batch):
                file.write(f"{line}\n")
                count += 1
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise InputError(f"--output {path}: cannot be written: {error.strerror}; name another file") from None
    finally:
        draft.unlink(missing_ok=True)
    return count


async def _lines(store: BatchStore, batch: BatchRow) -> AsyncIterator[str]:
    after = 0
    while rows := await store.results(batch.tenant, batch.id, after, PAGE):
        for row in rows:
            own = {} if row["own"] is None else {"id": row["own"]}
            what = "outcome" if row["state"] == "done" else "error"
            line = {"item": row["number"], **own, "status": row["state"], what: json.loads(row["result"])}
            yield json.dumps(line, ensure_ascii=False)
        after = rows[-1]["number"]
