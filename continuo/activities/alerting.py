"""Alerts: what they are about is measured, and those that change go on the bus."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from continuo.activities.unexpected import reaching_out
from continuo.authoring.library import Library
from continuo.authoring.retiring import retiring
from continuo.config.alerts import Alerts, Rule
from continuo.decisions.alerts import Alert, Change, Measured, Sample, evaluated
from continuo.door.dead_letters import count_letters
from continuo.door.reviews import open_reviews
from continuo.errors import InputError
from continuo.operations.alerts import Evaluated, of_change, title
from continuo.patterns import Cached
from continuo.patterns.walk import specs
from continuo.stores.alerts import cost_of, evaluate, exceeded, rates
from continuo.stores.board import Board
from continuo.stores.database import Database, StoreUnavailable
from continuo.stores.opened import open_store
from continuo.temporal.queues import backlogs

log = structlog.get_logger()

PATIENCE = 20.0
"""Seconds for one measure."""


class Alerting:
    def __init__(self, library: Library, client: Client, namespace: str, database: Database) -> None:
        self._library = library
        self._client = client
        self._namespace = namespace
        self._database = database

    @reaching_out
    @activity.defn(name="evaluate_alerts")
    async def evaluate(self) -> Evaluated:
        """Measure, keep how the alerts stand, and put those that change on the bus. What cannot be measured leaves its
        alerts as they are."""
        try:
            config = await asyncio.to_thread(lambda: self._library.alerts)
        except InputError as error:
            raise ApplicationError(str(error), type="InputError", non_retryable=True) from None
        return await self.evaluated(config, datetime.now(UTC))

    async def evaluated(self, config: Alerts, now: datetime) -> Evaluated:
        measures = await asyncio.gather(*(self._measured(name, rule, now) for name, rule in config.rules.items()))
        measured = dict(zip(config.rules, measures, strict=True))
        try:
            result = await evaluate(
                self._database,
                lambda before: evaluated(config.rules, measured, before, now),
                lambda change: of_change(change, config.rules.get(change.alert.rule)),
            )
        except StoreUnavailable as error:
            # To be tried again.
            raise ApplicationError(str(error), type="StoreUnavailable") from error
        changes = [one for one in result if isinstance(one, Change)]
        names = {why: tuple(title(one.alert.rule, one.alert.label) for one in changes if one.why == why)
                 for why in ("fired", "recovered")}  # fmt: skip
        return Evaluated(
            firing=sum(isinstance(one, Alert) for one in result),
            unmeasured=tuple(name for name, samples in measured.items() if samples is None),
            **names,
        )

    async def _measured(self, name: str, rule: Rule, now: datetime) -> Measured | None:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._measure(rule, now)
        except Exception as error:
            log.warning("an alert cannot be measured", rule=name, error=f"{type(error).__name__}: {error}")
            return None

    async def _measure(self, rule: Rule, now: datetime) -> Measured:
        match rule.measure:
            case "cost_today_usd":
                return {"": await cost_of(self._database, now.date().isoformat())}
            case "cache_hit_rate" | "error_rate":
                return await self._rate(rule, now)
            case "budgets_exceeded":
                tenants = await asyncio.to_thread(lambda: self._library.tenants)
                return await exceeded(self._database, tenants, now)
            case "breakers_open":
                states = await Board(self._database).all()
                return {name: Sample(state.state == "open") for name, state in states.items()}
            case "queue_age_s":
                ages: dict[str, float] = {}
                for waiting in await backlogs(self._client):
                    ages[waiting.priority] = max(ages.get(waiting.priority, 0.0), waiting.age)
                return {priority: Sample(age) for priority, age in ages.items()}
            case "reviews_overdue":
                return {"": Sample(sum(review.late(now) for review in await open_reviews(self._client)))}
            case "days_to_retirement":
                return {one.model: Sample(one.days) for one in await asyncio.to_thread(retiring, self._library)}
            case "dead_letters":
                return {"": Sample(await count_letters(self._client))}

    async def _rate(self, rule: Rule, now: datetime) -> Measured:
        since = now - timedelta(seconds=rule.window)
        # The sums of a long table take a while: on a thread and a connection of their own they hold up no call.
        by_pattern = await asyncio.to_thread(lambda: asyncio.run(self._rates(since)))
        if rule.measure == "cache_hit_rate":
            cached = await asyncio.to_thread(self._cached)
            by_pattern = {name: counts for name, counts in by_pattern.items() if name in cached}
        runs, done, hits = (sum(counts[i] for counts in by_pattern.values()) for i in range(3))
        wanted = hits if rule.measure == "cache_hit_rate" else runs - done
        return {"": Sample(wanted / runs if runs else 0.0, runs)}

    async def _rates(self, since: datetime) -> dict[str, tuple[int, int, int]]:
        database = open_store(self._library.settings, self._library.environ)
        try:
            return await rates(database, self._namespace, since)
        finally:
            await database.aclose()

    def _cached(self) -> set[str]:
        """The named patterns that look into the cache."""
        names = set[str]()
        for name in self._library.names():
            with suppress(InputError):
                if any(isinstance(spec, Cached) for spec in specs(self._library.step(name))):
                    names.add(name)
        return names
