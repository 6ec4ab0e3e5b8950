"""The worker that makes the same calls and keeps and checks nothing: no journal, ledger, budget, limit, breaker.

`python -m benchmarks.unprotected`: the same workflows, activity and client as a pool's, on the queue of the batch pool.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date

from temporalio.worker import Worker

from continuo.activities.admission import Admission, Admitted
from continuo.activities.around import Around
from continuo.activities.breakers import Breakers
from continuo.activities.heartbeat import heartbeats
from continuo.activities.micro_batches import MicroBatches
from continuo.activities.models import ModelCalls
from continuo.activities.settling import Settling
from continuo.authoring.library import Library
from continuo.config.catalog import BreakerPolicy, Catalog, Model
from continuo.jobs import CallRecord, Job, Outcome, Priority
from continuo.messages import ModelRequest, Usage
from continuo.operations.metrics import Meter
from continuo.protection.rate_limits import Wait
from continuo.providers.client import ModelClient
from continuo.stores.journal import Journal
from continuo.stores.ledger import Settlement
from continuo.stores.payloads import Payloads
from continuo.stores.sql_streams import SqlStreams
from continuo.stores.turns import Turns
from continuo.temporal.connect import connect
from continuo.temporal.leave import leave
from continuo.temporal.telemetry import configure_logging, log_context
from continuo.workers.registered import WORKFLOWS
from continuo.workers.sandbox import runner

QUEUE: Priority = "batch"


class NoJournal(Journal):
    def __init__(self) -> None:
        pass


class NoSettling(Settling):
    def __init__(self) -> None:
        pass

    async def find(self, identity: str, question: str | None = None) -> Outcome | None:
        return None

    async def settle(self, settlement: Settlement, patience: float) -> None:
        pass


class NoAdmission(Admission):
    def __init__(self) -> None:
        pass

    async def today(self, tenant: str) -> date:
        return date.min

    async def admit(
        self,
        catalog: Catalog,
        job: Job,
        wanted: Model,
        fill: Callable[[Model], ModelRequest],
        identity: str,
        attempt: int,
        lease: float,
    ) -> Admitted | Wait:
        unanswered = CallRecord(path=job.path, model=wanted.id, status="lost")
        return Admitted(catalog, identity, attempt, wanted, fill(wanted), 0, lease, 0, unanswered)

    async def leave(
        self, admitted: Admitted, usage: Usage | None, seconds: float | None = None, *, failed: bool = False
    ) -> None:
        pass


class NoBreakers(Breakers):
    def __init__(self) -> None:
        pass

    def check(self, provider: str) -> None:
        pass

    @asynccontextmanager
    async def guard(self, provider: str, breaker: BreakerPolicy, holder: str, lease: float) -> AsyncIterator[None]:
        yield


class NoPayloads(Payloads):
    """Of requests without media."""

    def __init__(self) -> None:
        pass


class NoTurns(Turns):
    """Of no agent."""

    def __init__(self) -> None:
        pass


class NoStreams(SqlStreams):
    """Of answers that nobody follows."""

    def __init__(self) -> None:
        pass


async def serve() -> None:
    library = Library()
    settings, masker = library.settings, library.masker
    configure_logging(settings.log_level, masker)
    client = ModelClient(library.catalog, library.environ, settings.knowledge, masker)
    admission, breakers = NoAdmission(), NoBreakers()
    calls = ModelCalls(
        library, client, NoJournal(), NoSettling(), admission, breakers, NoPayloads(), NoTurns(), NoStreams(),
        MicroBatches(client, admission, breakers), Meter(library),
    )  # fmt: skip
    worker = Worker(
        await connect(),
        task_queue=QUEUE,
        workflows=WORKFLOWS,
        activities=[calls.call],
        interceptors=[Around(log_context, lambda _: heartbeats(settings.heartbeat))],
        workflow_runner=runner(sandbox=False),
        max_concurrent_activities=settings.slots("standard"),
    )
    async with worker:
        print("unprotected worker ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
    leave(0)
