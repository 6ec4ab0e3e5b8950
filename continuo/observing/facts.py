"""What is read from the stores and from Temporal when somebody looks, and shown again for a few seconds."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.authoring.retiring import retiring
from continuo.door.dead_letters import count_letters
from continuo.door.reviews import open_reviews
from continuo.stores.board import Board
from continuo.stores.budgets import Budgets
from continuo.stores.database import Database
from continuo.temporal.queues import backlogs

log = structlog.get_logger()

KEPT = 5.0
"""Seconds for which what was read is shown again: so seldom are stores asked, however many look."""

PATIENCE = 3.0
"""Seconds for each of them to answer."""

STATES = ("closed", "half_open", "open")

Reader = Callable[[], Awaitable[Sequence[Metric]]]


class Facts:
    """Of one installation: every process that shows them shows the same, so take the greatest and never the sum."""

    def __init__(self, client: Client, library: Library, database: Database) -> None:
        self._client = client
        self._library = library
        self._board = Board(database)
        self._budgets = Budgets(database)
        self._readers: dict[str, Reader] = {
            "breakers": self._breakers,
            "budgets": self._spent,
            "reviews": self._reviews,
            "dead_letters": self._letters,
            "queues": self._queues,
            "retirements": self._retirements,
        }
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._known: list[Metric] = []

    async def read(self) -> list[Metric]:
        """All of them; of what cannot be read only that it cannot."""
        async with self._lock:
            if time.monotonic() >= self._until:
                parts = await asyncio.gather(*(self._one(name) for name in self._readers))
                read = GaugeMetricFamily("continuo_facts_read", "1: the facts could be read now.", labels=["facts"])
                for name, part in zip(self._readers, parts, strict=True):
                    read.add_metric([name], 0 if part is None else 1)
                self._known = [read, *(metric for part in parts for metric in part or ())]
                self._until = time.monotonic() + KEPT
            return self._known

    async def _one(self, name: str) -> Sequence[Metric] | None:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._readers[name]()
        except Exception as error:
            log.warning("facts cannot be read for the metrics", facts=name, error=f"{type(error).__name__}: {error}")
            return None

    async def _breakers(self) -> Sequence[Metric]:
        known = await self._board.all()
        labels = ["gen_ai_provider_name", "state"]
        metric = GaugeMetricFamily("continuo_breaker_state", "1 for the state that the breaker is in.", labels=labels)
        for provider in self._library.catalog.providers:
            state = known[provider].state if provider in known else "closed"
            for one in STATES:
                metric.add_metric([provider, one], int(one == state))
        return (metric,)

    async def _spent(self) -> Sequence[Metric]:
        """Of the tenants that the configuration lists."""
        used = GaugeMetricFamily(
            "continuo_budget_used_ratio", "The part of a tenant's day that is spent or reserved.", labels=["tenant"]
        )
        for name, tenant in self._library.tenants.tenants.items():
            if tenant.daily_usd is not None:
                balance = await self._budgets.balance(name, tenant.day(datetime.now(UTC)))
                used.add_metric([name], tenant.used(balance.spent + balance.reserved) or 0.0)
        return (used,)

    async def _reviews(self) -> Sequence[Metric]:
        reviews, now = await open_reviews(self._client), datetime.now(UTC)
        overdue = sum(one.late(now) for one in reviews)
        age = max((now - one.opened for one in reviews), default=None)
        return (
            _gauge("continuo_reviews_open", "Reviews that wait for a person.", len(reviews)),
            _gauge("continuo_reviews_overdue", "Those of them that should have been decided.", overdue),
            _gauge("continuo_review_age_seconds", "Of the oldest of them.", age.total_seconds() if age else 0),
        )

    async def _letters(self) -> Sequence[Metric]:
        count = await count_letters(self._client)
        return (_gauge("continuo_dead_letters_open", "Runs that failed for good and wait to be retried.", count),)

    async def _queues(self) -> Sequence[Metric]:
        labels = ["priority", "kind"]
        depth = GaugeMetricFamily("continuo_queue_depth", "Tasks that wait for a pool, about.", labels=labels)
        age = GaugeMetricFamily("continuo_queue_age_seconds", "Of the task that waits longest, about.", labels=labels)
        for waiting in await backlogs(self._client):
            depth.add_metric([waiting.priority, waiting.kind], waiting.tasks)
            age.add_metric([waiting.priority, waiting.kind], waiting.age)
        return (depth, age)

    async def _retirements(self) -> Sequence[Metric]:
        labels, text = ["gen_ai_request_model"], "Until a model that a pattern asks retires; 0 or less: it has."
        days = GaugeMetricFamily("continuo_model_retirement_days", text, labels=labels)
        for one in await asyncio.to_thread(retiring, self._library):
            days.add_metric([one.model], one.days)
        return (days,)


def _gauge(name: str, text: str, value: float) -> Metric:
    metric = GaugeMetricFamily(name, text)
    metric.add_metric([], value)
    return metric
