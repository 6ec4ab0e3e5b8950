"""A pool: one worker process on one priority's queue, with as many slots as the priority has."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from continuo.activities.admission import Admission
from continuo.activities.alerting import Alerting
from continuo.activities.around import Around
from continuo.activities.batches import Batches
from continuo.activities.breakers import Breakers
from continuo.activities.caching import Caching
from continuo.activities.checking import Checking
from continuo.activities.composing import Composing
from continuo.activities.deployments import Deployments
from continuo.activities.functions import FunctionCalls
from continuo.activities.heartbeat import heartbeats
from continuo.activities.letters import Letters
from continuo.activities.mcp import ToolCalls
from continuo.activities.micro_batches import MicroBatches
from continuo.activities.models import ModelCalls
from continuo.activities.orchestrating import Orchestrating
from continuo.activities.plain_calls import PlainCalls
from continuo.activities.poster import Poster
from continuo.activities.provider_batches import ProviderBatches
from continuo.activities.pruning import Pruning
from continuo.activities.recording import Recording
from continuo.activities.reports import Reports
from continuo.activities.revealing import Revealing
from continuo.activities.review_notices import ReviewNotices
from continuo.activities.scheduling import Scheduling
from continuo.activities.services import ServiceCalls
from continuo.activities.settling import Settling
from continuo.activities.shifting import Splits
from continuo.activities.sparing import Sparing
from continuo.activities.turns import TurnKeeping
from continuo.activities.unexpected import final_if_unexpected
from continuo.activities.webhooks import Webhooks
from continuo.authoring.library import Library
from continuo.data import build_all
from continuo.jobs import Priority
from continuo.observing.exposition import Exposition, free_address
from continuo.observing.server import bound, serving
from continuo.operations.metrics import Meter
from continuo.protection.encryption import cipher
from continuo.providers.client import ModelClient
from continuo.stores.batches import BatchStore
from continuo.stores.board import Board
from continuo.stores.budgets import Budgets
from continuo.stores.journal import Journal
from continuo.stores.opened import open_cache, open_store, opened_limits, opened_payloads, opened_streams
from continuo.stores.payloads import Payloads
from continuo.stores.provider_batches import SentBatches
from continuo.stores.runs import Runs
from continuo.stores.tools import AcceptedTools, SentCalls
from continuo.stores.turns import Turns
from continuo.temporal.connect import connect
from continuo.temporal.masked import masked
from continuo.temporal.namespace import namespace_of
from continuo.temporal.payloads import converter
from continuo.temporal.refreshing import refreshing
from continuo.temporal.telemetry import configure_logging, configure_tracing, log_context
from continuo.tools.servers import ToolServers
from continuo.workers.dispatching import dispatching
from continuo.workers.following import following
from continuo.workers.joining import NOTHING, Joining, joined, joining
from continuo.workers.registered import WORKFLOWS, activities
from continuo.workers.retiring import warn
from continuo.workers.sandbox import runner
from continuo.workers.schedule import ensure_schedules
from continuo.workers.versioning import versioned
from continuo.workflows.unexpected import UnexpectedWorkflowErrors

log = structlog.get_logger()

DRAIN = timedelta(seconds=5)
"""What is in flight has so long to end after SIGTERM, and else is tried by another pool."""


@asynccontextmanager
async def pool(
    client: Client, library: Library, priority: Priority, slots: int, own: Joining = NOTHING
) -> AsyncIterator[Worker]:
    """A running worker on `priority`'s queue with its stores and HTTP clients, all closed at the end.

    `own` joins ours. Raises `InputError` where it has a name of ours.
    """
    settings, environ, masker = library.settings, library.environ, library.masker
    # They are followed from then on.
    library.load()
    # In the first workflow task it takes seconds on a busy machine; and one that the SDK interrupts for that may never
    # be taken up again by this pool.
    build_all()
    async with AsyncExitStack() as resources:
        database = open_store(settings, environ)
        resources.push_async_callback(database.aclose)
        limits = await resources.enter_async_context(opened_limits(settings, environ, database))
        cache = open_cache(settings, environ)
        resources.push_async_callback(cache.aclose)
        large = await resources.enter_async_context(opened_payloads(settings, environ, database))
        streams = await resources.enter_async_context(opened_streams(settings, environ))
        namespace, meter = await namespace_of(client), Meter(library)
        models = ModelClient(library.catalog, environ, settings.knowledge, masker)
        resources.push_async_callback(models.aclose)
        revealing = Revealing(library, database)
        services = ServiceCalls(library, revealing)
        resources.push_async_callback(services.aclose)
        functions = FunctionCalls(library.functions, masker, revealing)
        servers = ToolServers(library, AcceptedTools(database))
        resources.push_async_callback(servers.aclose)
        tools = ToolCalls(servers, SentCalls(database), masker, revealing)
        breakers = Breakers(Board(database), client)
        deployments = Deployments(environ, breakers, simulated=settings.simulated)
        admission = Admission(library, deployments, Budgets(database), limits)
        await resources.enter_async_context(breakers.watching())
        journal = Journal(database, meter, namespace.id)
        settling = Settling(journal, settings.data / "unrecorded", cipher(environ))
        await resources.enter_async_context(settling.running())
        payloads = Payloads(large, namespace.id)
        turns = Turns(large, namespace.id)
        together = MicroBatches(models, admission, breakers)
        resources.push_async_callback(together.aclose)
        calls = ModelCalls(
            library, models, journal, settling, admission, breakers, payloads, turns, streams, together, meter
        )
        caching, letters, reports = Caching(cache, meter), Letters(library), Reports(library)
        pruning = Pruning(settings, client, namespace, database, large, cache, streams)
        runs = Runs(database, namespace.id, meter)
        stored = BatchStore(database, namespace.id, meter)
        kept, sent = Batches(stored), SentBatches(database, namespace.id)
        at_provider = ProviderBatches(library, models, kept, stored, sent, admission, journal, payloads)
        poster = Poster(settings, environ)
        webhooks, notices = Webhooks(client, runs, poster), ReviewNotices(settings, environ, poster)
        config = client.config()
        config["data_converter"] = masked(converter(settings, payloads), masker, library.data_masker)
        # For activities of others that are not async.
        executor = ThreadPoolExecutor(slots)
        resources.callback(executor.shutdown, wait=False)
        ours = activities(
            calls, PlainCalls(calls, client), admission, breakers, services, functions, tools, caching, letters,
            reports, pruning, webhooks, notices, Recording(), TurnKeeping(turns), Orchestrating(library),
            Sparing(library), Scheduling(library, stored), kept, at_provider, Checking(library, turns, meter),
            Alerting(library, client, namespace.id, database), Splits(library, database),
            Composing(library),
        )  # fmt: skip
        worker = Worker(
            Client(**config),
            task_queue=priority,
            workflows=joined("WORKFLOWS", WORKFLOWS, own.workflows),
            activities=joined("ACTIVITIES", ours, own.activities),
            activity_executor=executor,
            interceptors=[
                Around(log_context, lambda _: heartbeats(settings.heartbeat), lambda _: final_if_unexpected()),
                UnexpectedWorkflowErrors(),
            ],
            workflow_runner=runner(sandbox=settings.sandbox, versioned=bool(settings.build)),
            deployment_config=versioned(settings.build) if settings.build else None,
            # In the sandbox a run takes long to begin: a hundred at once could all be late for the 10 s of a workflow
            # task, and again at the next try.
            max_concurrent_workflow_tasks=20 if settings.sandbox else 100,
            max_concurrent_activities=slots,
            max_concurrent_local_activities=slots,
            # A cancellation travels back on a heartbeat: the throttle is how late an HTTP request is aborted.
            max_heartbeat_throttle_interval=timedelta(seconds=settings.heartbeat),
            graceful_shutdown_timeout=DRAIN,
            # So long, and not 10 s, waits what a killed pool had in its cache, such as a breaker that is signalled.
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        )
        # The SDK takes a workflow for stuck after two seconds, which it may wait for a processor on a busy host, and
        # interrupts it wherever it stands; it has no option for that. So long the server waits for a task.
        assert worker._workflow_worker is not None
        worker._workflow_worker._deadlock_timeout_seconds = 10
        running = await resources.enter_async_context(worker)
        if priority == "standard":
            await resources.enter_async_context(following(client, runs, database))
            await resources.enter_async_context(dispatching(library, database))
        yield running


async def serve(priority: Priority, slots: int | None = None, modules: Sequence[str] = ()) -> None:
    """Run a pool until SIGTERM or SIGINT; what is in flight then has 5 s to end, and else is tried elsewhere.

    The workflows and activities of the `modules` join it, see `joining`.
    """
    own = joining(modules)
    library = Library()
    settings, masker = library.settings, library.masker
    configure_logging(settings.log_level, masker)
    address = settings.metrics_address
    listener, core = (bound(address), free_address()) if address else (None, None)
    client = await connect(configure_tracing(f"continuo-{priority}", masker), core)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await ensure_schedules(client)
    slots = slots or settings.slots(priority)
    shown = serving(listener, Exposition(None, core)) if listener else nullcontext()
    async with shown, pool(client, library, priority, slots, own), refreshing(settings.key_refresh, client):
        where = "{}:{}".format(*listener.getsockname()) if listener else None
        await asyncio.to_thread(warn, library)
        log.info("pool ready", priority=priority, slots=slots, build=settings.build or None, metrics=where)
        await stop.wait()
    log.info("pool stopped", priority=priority)
