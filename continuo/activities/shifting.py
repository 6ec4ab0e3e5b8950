"""The weights of adaptive splits: read by each run, and shifted from time to time."""

import asyncio
from contextlib import suppress

from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.activities.unexpected import reaching_out
from continuo.authoring.library import Library
from continuo.door.shifting import Shifting
from continuo.errors import InputError
from continuo.evaluation.adaptive import in_force
from continuo.operations.shifts import Shifted
from continuo.patterns import Split
from continuo.stores.database import Database, StoreUnavailable
from continuo.stores.opened import open_store
from continuo.stores.shifts import shifts


class Splits:
    def __init__(self, library: Library, database: Database) -> None:
        self._library = library
        self._database = database

    @activity.defn(name="split_weights")
    async def weights(self, pattern: str, written: dict[str, float]) -> dict[str, float]:
        """Those in force of a pattern whose variants' weights are `written` so: what a run has read stays in its
        history, whatever is shifted later."""
        return in_force(written, next(iter(await shifts(self._database, pattern)), None))

    @reaching_out
    @activity.defn(name="shift_splits")
    async def shift(self) -> Shifted:
        """Shift each named pattern that is an adaptive split."""
        splits = await asyncio.to_thread(self._adaptive)
        try:
            # The sums of a long table take a while: on a thread and a connection of their own they hold up no call.
            return await asyncio.to_thread(lambda: asyncio.run(self._shifted(splits)))
        except StoreUnavailable as error:
            # To be tried again.
            raise ApplicationError(str(error), type="StoreUnavailable") from error

    async def _shifted(self, splits: dict[str, Split]) -> Shifted:
        result = Shifted()
        if not splits:
            return result
        database = open_store(self._library.settings, self._library.environ)
        try:
            for name, split in splits.items():
                shift = await Shifting(database, name, split).shift()
                if isinstance(shift, str):
                    result.unchanged[name] = shift
                else:
                    result.shifted[name] = {variant: share.why for variant, share in shift.shares.items()}
        finally:
            await database.aclose()
        return result

    def _adaptive(self) -> dict[str, Split]:
        splits = dict[str, Split]()
        for name in self._library.names():
            # What is wrong in a file is told to those who ask for it.
            with suppress(InputError):
                pattern = self._library.named(name).pattern
                if isinstance(pattern, Split) and pattern.adaptive is not None:
                    splits[name] = pattern
        return splits
