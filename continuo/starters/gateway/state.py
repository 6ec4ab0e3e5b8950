"""What every request of a gateway needs, opened once for its process."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx
import structlog
from temporalio.client import Client

from continuo.access.limits import KeyLimits
from continuo.access.oidc import Issuer
from continuo.access.ring import KeyRing
from continuo.authoring.library import Library
from continuo.door import Door
from continuo.door.at_once import AtOnce
from continuo.door.batches import Batches
from continuo.door.noting import Noting, noting
from continuo.door.running import Running
from continuo.observing.exposition import Exposition
from continuo.observing.facts import Facts
from continuo.operations.metrics import Meter
from continuo.protection.masking import Masker
from continuo.starters.gateway.cancelling import Waiting
from continuo.stores.answers import Answers
from continuo.stores.api_keys import ApiKeys
from continuo.stores.batches import BatchStore
from continuo.stores.cache import Cache
from continuo.stores.conversations import Conversations
from continuo.stores.database import Database, StoreUnavailable
from continuo.stores.files import Files
from continuo.stores.opened import open_cache, open_store, opened_limits, opened_streams
from continuo.stores.requests import Requests
from continuo.stores.runs import Runs
from continuo.stores.streams import StreamLog
from continuo.stores.vault import Vault
from continuo.temporal.namespace import namespace_of

log = structlog.get_logger()

PRUNED = 3600.0
"""Seconds between two looks for requests that are too old to be repeated."""


@dataclass(frozen=True)
class Gateway:
    """`following` has the tasks that keep what runs come to. `masker` is for what programs read."""

    door: Door
    running: Running
    at_once: AtOnce
    noting: Noting
    store: Database
    cache: Cache
    ring: KeyRing
    limits: KeyLimits
    issuer: Issuer | None
    requests: Requests
    answers: Answers
    files: Files
    batch_store: BatchStore
    batches: Batches
    conversations: Conversations
    masker: Masker
    runs: Runs
    streams: StreamLog
    vault: Vault
    waiting: Waiting
    exposition: Exposition
    following: set[asyncio.Task[None]] = field(default_factory=set)


@asynccontextmanager
async def opened(client: Client, library: Library, core: str | None = None) -> AsyncIterator[Gateway]:
    """A gateway whose stores are closed at the end; `core` is where the SDK's core serves its metrics."""
    settings, environ = library.settings, library.environ
    # What is wrong with the rules is told before anybody is refused for it; they are followed from then on.
    await asyncio.to_thread(lambda: library.rules)
    async with AsyncExitStack() as resources:
        store = open_store(settings, environ)
        resources.push_async_callback(store.aclose)
        limits = await resources.enter_async_context(opened_limits(settings, environ, store))
        issuer = None
        if settings.oidc_issuer:
            issuer = Issuer(settings, await resources.enter_async_context(httpx.AsyncClient()))
        cache = open_cache(settings, environ)
        resources.push_async_callback(cache.aclose)
        namespace = await namespace_of(client)
        runs = Runs(store, namespace.id, Meter(library))
        notes = await resources.enter_async_context(noting(runs, cache))
        door = Door(client, library, notes)
        requests = Requests(store)
        waiting, batch_store = Waiting(requests), BatchStore(store, namespace.id)
        for work in (_prune(requests), waiting.renewing()):
            resources.callback(asyncio.create_task(work).cancel)
        yield Gateway(
            door=door,
            running=Running(door, plain_calls=namespace.plain_calls),
            at_once=AtOnce(cache, notes),
            noting=notes,
            store=store,
            cache=cache,
            ring=KeyRing(ApiKeys(store)),
            limits=await resources.enter_async_context(KeyLimits(limits)),
            issuer=issuer,
            requests=requests,
            answers=Answers(store, namespace.id),
            files=Files(store),
            batch_store=batch_store,
            batches=Batches(door, batch_store),
            conversations=Conversations(store),
            masker=library.data_masker,
            runs=runs,
            streams=await resources.enter_async_context(opened_streams(settings, environ)),
            vault=Vault(store, door.withholding.key.cipher),
            waiting=waiting,
            exposition=Exposition(Facts(client, library, store), core),
        )


async def _prune(requests: Requests) -> None:
    while True:
        try:
            await requests.prune(time.time())
        except StoreUnavailable as error:
            log.warning("old requests cannot be forgotten", error=str(error))
        await asyncio.sleep(PRUNED)
