"""What nothing needs any more goes: from the stores, and closed dead letters from Temporal."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from continuo.activities.unexpected import reaching_out
from continuo.config.settings import DAY, Settings
from continuo.config.tenants import load_tenants
from continuo.door.executions import NAME, closed, delete, open_runs, referred
from continuo.operations.dead_letters import TYPE
from continuo.operations.pruning import Part
from continuo.stores.audit import chains
from continuo.stores.audit import prune as prune_audit
from continuo.stores.batches import prune_batches
from continuo.stores.cache import Cache
from continuo.stores.database import Database, StoreUnavailable
from continuo.stores.events import prune_events
from continuo.stores.files import Files
from continuo.stores.payloads import FRESH, drop_owners, find
from continuo.stores.pruning import JOURNAL, LEDGER, MCP_CALLS, RUNS, Aged, payloads, prune
from continuo.stores.ratings import RATINGS
from continuo.stores.shifts import prune_shifts
from continuo.stores.streams import StreamLog
from continuo.stores.turns import Turns
from continuo.stores.vault import prune_vault
from continuo.temporal.namespace import Namespace

CLOCKS = 3600.0
"""Seconds by which the clocks of two machines may differ."""


class Pruning:
    """Prunes by the settings' retentions. Stopped anywhere it has only done less, and the next time does the rest."""

    def __init__(
        self,
        settings: Settings,
        client: Client,
        namespace: Namespace,
        store: Database,
        large: Database,
        cache: Cache,
        streams: StreamLog,
    ) -> None:
        self._settings = settings
        self._client = client
        self._namespace = namespace
        self._store = store
        self._large = large
        self._cache = cache
        self._streams = streams

    @reaching_out
    @activity.defn(name="prune")
    async def prune(self, part: Part, dry_run: bool) -> int:
        """Prune one part; how much went, or with `dry_run` would go."""
        try:
            return await self.pruned(part, datetime.now(UTC), dry_run=dry_run)
        except (StoreUnavailable, RPCError) as error:
            # To be tried again.
            raise ApplicationError(str(error), type=type(error).__name__) from error

    async def pruned(self, part: Part, now: datetime, *, dry_run: bool) -> int:
        settings = self._settings
        match part:
            case "journal":
                retention = settings.journal_retention
                tools = await self._of_closed_runs(MCP_CALLS, now, retention, dry_run=dry_run)
                return tools + await self._of_closed_runs(JOURNAL, now, retention, dry_run=dry_run)
            case "ledger" if settings.ledger_retention is not None:
                return await self._of_closed_runs(LEDGER, now, settings.ledger_retention, dry_run=dry_run)
            case "ledger":
                return 0
            case "cache":
                return await self._cache.prune(now=now.timestamp(), dry_run=dry_run)
            case "payloads":
                return await self._payloads(now, dry_run=dry_run)
            case "letters":
                return await self._letters(now, dry_run=dry_run)
            case "streams":
                return await self._streams.prune(now.timestamp(), dry_run=dry_run)
            case "audit":
                return await self._audit(now, dry_run=dry_run)
            case "events":
                return await prune_events(self._store, now.timestamp() - settings.event_retention, dry_run=dry_run)
            case "runs":
                oldest = now - timedelta(seconds=settings.run_retention)
                before = oldest.isoformat()
                shifted = await prune_shifts(self._store, oldest, dry_run=dry_run)
                batches = await prune_batches(self._store, before, dry_run=dry_run)
                files = await Files(self._store).prune(now.timestamp(), dry_run=dry_run)
                values = await prune_vault(self._store, now.timestamp() - DAY, dry_run=dry_run)
                rows = [
                    await prune(self._store, aged, before, lambda run_id: False, dry_run=dry_run)
                    for aged in (RATINGS, RUNS)
                ]
                return shifted + values + files + batches + sum(rows)

    async def _audit(self, now: datetime, *, dry_run: bool) -> int:
        tenants, count = await asyncio.to_thread(load_tenants, self._settings.tenants), 0
        for chain in await chains(self._store):
            if (days := tenants.of(chain.tenant).audit_days) is not None:
                before = now - timedelta(days=days)
                count += await prune_audit(self._store, chain.tenant, before, dry_run=dry_run)
        return count

    async def _of_closed_runs(self, rows: Aged, now: datetime, retention: float, *, dry_run: bool) -> int:
        """A row is asked for by the attempts of a call alone, which has its run in its identity."""
        under_way, before = await open_runs(self._client), now - timedelta(seconds=retention)

        def needed(identity: str) -> bool:
            return identity.partition("/")[0] in under_way

        return await prune(self._store, rows, before.isoformat(), needed, dry_run=dry_run)

    async def _payloads(self, now: datetime, *, dry_run: bool) -> int:
        """Whatever is used is known as such for `FRESH` seconds after it was stored or read by a pool. So a run that
        needs what was last used before a time was started before that time, or its first task has not begun."""
        rows, known = payloads(self._namespace.id), self._namespace.retention.total_seconds() + DAY
        before = now.timestamp() - max(self._settings.payload_retention, known)

        turns = Turns(self._large, self._namespace.id)

        async def drop(needed: Callable[[str], bool], *, dry_run: bool) -> int:
            of_agents = await turns.prune(before, needed, dry_run=dry_run)
            return of_agents + await prune(self._large, rows, before, needed, dry_run=dry_run)

        if not await drop(lambda name: False, dry_run=True):
            return 0
        names = await referred(self._client, datetime.fromtimestamp(before + FRESH + CLOCKS, UTC))
        # A job that is itself kept here names its media, and no history does.
        for name in list(names):
            names.update(name_bytes.decode() for name_bytes in NAME.findall(await find(self._large, name) or b""))
        count = await drop(names.__contains__, dry_run=dry_run)
        if not dry_run:
            await drop_owners(self._large, self._namespace.id)
        return count

    async def _letters(self, now: datetime, *, dry_run: bool) -> int:
        letters = await closed(self._client, TYPE, now - timedelta(seconds=self._settings.letter_retention))
        for letter in [] if dry_run else letters:
            await delete(self._client, letter)
        return len(letters)
