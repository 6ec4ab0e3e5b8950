"""Reports of the ledger and of budgets, for whoever asks Temporal for them."""

import asyncio
from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.authoring.library import Library
from continuo.errors import InputError
from continuo.operations.reports import Costs, Days, Query
from continuo.stores.opened import open_store
from continuo.stores.reports import report


class Reports:
    """A local activity."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @activity.defn(name="report")
    async def report(self, query: Query) -> Costs | Days:
        """What answers the query. Fails, of type `InputError`, for one that has no answer."""
        try:
            # The sums of a long ledger take a while: on a thread and a connection of their own they hold up no call.
            return await asyncio.to_thread(lambda: asyncio.run(self._report(query)))
        except InputError as error:
            raise ApplicationError(str(error), type="InputError", non_retryable=True) from None

    async def _report(self, query: Query) -> Costs | Days:
        database = open_store(self._library.settings, self._library.environ)
        try:
            return await report(database, query, self._library, datetime.now(UTC))
        finally:
            await database.aclose()
