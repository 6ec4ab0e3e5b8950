"""Schedules from a program: a request that is made again and again, by Temporal's own schedules."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from os import PathLike, fspath
from typing import Unpack

from continuo import door
from continuo.authoring.prepare import validated
from continuo.client.batch_items import BatchItem, digest_of, lines_of
from continuo.client.errors import plain_errors
from continuo.client.options import Options, Whom, requested
from continuo.decisions.off_peak import off_peak as hours_of
from continuo.door.schedules import Planned
from continuo.door.schedules import Schedules as Planning
from continuo.errors import InputError
from continuo.jobs import Context
from continuo.operations.batches import Terms
from continuo.operations.schedules import ScheduleRow, ShownSchedule, Times
from continuo.patterns import Step
from continuo.stores.batches import BatchStore
from continuo.stores.opened import open_store
from continuo.temporal.namespace import namespace_of


class Schedules:
    """Those of tenants, by their names. Methods raise `InputError` for what cannot be, and `NoServer` as `Run`'s do."""

    def __init__(self, door: door.Door) -> None:
        self._door = door

    async def create(
        self,
        name: str,
        /,
        pattern: str | PathLike[str] | Step,
        prompt: str | None = None,
        *,
        times: Times,
        replace: bool = False,
        **options: Unpack[Options],
    ) -> ScheduleRow:
        """Plan a run, with the options of `Continuo.run` but `media` and `id`. It passes the door now, and each time.

        `replace` takes the place of the tenant's schedule of this name.
        """
        named = fspath(pattern) if isinstance(pattern, PathLike) else pattern
        for option in ("media", "id"):
            if options.get(option):
                raise InputError(f"{option}: each time of a schedule is a run of its own; leave it out")
        request, context, _ = await asyncio.to_thread(requested, named, prompt, options)
        planned = validated(Planned, name=name, request=request, context=context)
        async with self._planning() as planning:
            await planning.create(planned, times, replace=replace)
            return (await planning.show(context.tenant, name)).schedule

    async def create_batch(
        self,
        name: str,
        /,
        pattern: str,
        items: Iterable[str | BatchItem],
        *,
        times: Times,
        window: int = 50,
        budget_usd: float | None = None,
        off_peak: str | None = None,
        provider_batch: str | None = None,
        replace: bool = False,
        **whom: Unpack[Whom],
    ) -> ScheduleRow:
        """Plan a batch of these items, as they are now; a text is a prompt. Each passes the door now, and each time.

        `window` items are under way at once. No more are begun once `budget_usd` is spent, nor outside the hours
        `off_peak`, such as `22:00-06:00`, of the times' zone. With `provider_batch` they go into batches of the
        provider's own, and what is missing shortly before that long, such as `24h`, has passed into single calls. Its
        priority is `batch`, if none is given.
        """
        context = validated(Context, **{"priority": "batch", **whom, "pattern": pattern})
        try:
            hours = None if off_peak is None else hours_of(off_peak, times.zone)
        except ValueError as error:
            raise InputError(f"off_peak: {' '.join(str(error).split())}") from None
        step = await asyncio.to_thread(self._door.library.step, pattern)
        terms = validated(
            Terms,
            step=step,
            context=context,
            window=window,
            budget_usd=budget_usd,
            off_peak=hours,
            at_provider=None if provider_batch is None else {"within": provider_batch},
        )
        lines = await asyncio.to_thread(lines_of, items, pattern)
        digest = await asyncio.to_thread(digest_of, lines)
        async with self._planning() as planning:
            await planning.create_batch(name, terms, digest, "items", lines, times, replace=replace)
            return (await planning.show(context.tenant, name)).schedule

    async def list(self, tenant: str | None = None) -> list[ScheduleRow]:
        """Those of one tenant, or of all, by tenant and name."""
        async with self._planning() as planning:
            return sorted([row async for row in planning.listed(tenant)], key=lambda row: (row.tenant, row.name))

    async def show(self, name: str, *, tenant: str = "default") -> ShownSchedule:
        """One with its last times."""
        async with self._planning() as planning:
            return await planning.show(tenant, name)

    async def pause(self, name: str, *, note: str = "", tenant: str = "default") -> None:
        """Run it no more until it is resumed; what is under way goes on."""
        async with self._planning() as planning:
            await planning.pause(tenant, name, note)

    async def resume(self, name: str, *, tenant: str = "default") -> None:
        """Go on with one that is paused."""
        async with self._planning() as planning:
            await planning.resume(tenant, name)

    async def trigger(self, name: str, *, tenant: str = "default") -> None:
        """Run it now, also while it is paused."""
        async with self._planning() as planning:
            await planning.trigger(tenant, name)

    async def delete(self, name: str, *, tenant: str = "default") -> None:
        """Forget it; its runs stay."""
        async with self._planning() as planning:
            await planning.delete(tenant, name)

    @asynccontextmanager
    async def _planning(self) -> AsyncIterator[Planning]:
        library = self._door.library
        with plain_errors():
            namespace = await namespace_of(self._door.client)
            # On whatever event loop it is asked, so that it is kept open for none.
            store = open_store(library.settings, library.environ)
            try:
                yield Planning(self._door, BatchStore(store, namespace.id))
            finally:
                await store.aclose()
