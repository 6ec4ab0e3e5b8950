"""Batches for the commands that begin and show them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from continuo.authoring.library import Library
from continuo.operations.batches import BatchRow
from continuo.starters.console.batch_progress import follow
from continuo.starters.console.terminal import err
from continuo.starters.store import opened
from continuo.stores.batches import BatchStore

if TYPE_CHECKING:
    from continuo.door.batches import Batches


@asynccontextmanager
async def opened_batches(library: Library) -> AsyncIterator[tuple["Batches", BatchStore]]:
    """Raises `InputError` for a store or a server that cannot be used."""
    from continuo.door import Door
    from continuo.door.batches import Batches
    from continuo.temporal.connect import connect
    from continuo.temporal.namespace import namespace_of

    async with opened() as database:
        client = await connect()
        store = BatchStore(database, (await namespace_of(client)).id)
        yield Batches(Door(client, library), store), store


async def followed(batches: "Batches", store: BatchStore, batch: BatchRow) -> BatchRow:
    """Show a batch on the way to its end; what it came to."""

    async def look() -> BatchRow:
        return await store.get(batch.tenant, batch.id) or batch

    ending = asyncio.create_task(batches.end(batch))
    try:
        return await follow(err, batch, look, ending)
    except asyncio.CancelledError:
        # Ctrl-C leaves the batch alone, as it does a run.
        err.print(f"batch {batch.id} goes on without us; the same command follows it again")
        err.print(f"stop it: continuo batch cancel {batch.id}")
        raise
    finally:
        ending.cancel()
