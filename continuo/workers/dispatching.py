"""The bus is delivered, off the way of every run: by one pool at a time, to each subscriber apart."""

import asyncio
import random
import time
from contextlib import AbstractAsyncContextManager, aclosing
from typing import NamedTuple
from uuid import uuid4

import structlog

from continuo.activities.errors import unless_broken
from continuo.activities.posting import Posting
from continuo.activities.sinks import Sink, for_channel, for_subscriber
from continuo.authoring.library import Library
from continuo.config.alerts import Channel
from continuo.config.events import Subscriber, Wanted
from continuo.decisions.backoff import delay
from continuo.decisions.deliveries import Held, due
from continuo.operations.events import Event
from continuo.patterns import Retry
from continuo.stores.database import Database
from continuo.stores.events import Position, advance, begin, number, read_after, release
from continuo.workers.beside import beside

log = structlog.get_logger()

INTERVAL = 0.5
"""Seconds between two looks at the bus: so late may an event be delivered."""

LEASE = 10.0
"""Seconds for which one pool delivers and the others leave it to that; then another one takes its place."""

PORTION = 500
"""Events read at once."""

MOST_WAITING = 10_000
"""Events that wait in memory for a subscriber. Beyond these nothing is read until some were taken or given up."""

AT_ONCE = 8
"""Subjects whose events a subscriber is sent at the same time."""

LONGEST_PAUSE = 300.0
"""Seconds between two tries at most."""

GIVEN_UP = 86_400.0
"""Seconds after which an event is given up that a subscriber does not take."""


class Subscription(NamedTuple):
    """A subscriber or a channel of alerts, as it is configured."""

    config: Subscriber | Channel
    source: str

    def wants(self, event: Event) -> bool:
        if isinstance(self.config, Wanted):
            return self.config.holds(event.type, event.tenant, event.pattern)
        rules = self.config.rules
        return event.type.startswith("alert.") and (not rules or event.data["rule"] in rules)


def dispatching(library: Library, database: Database) -> AbstractAsyncContextManager[None]:
    """Inside, this process delivers the bus, unless another one does."""
    return beside(_Dispatcher(library, database).run())


class _Dispatcher:
    def __init__(self, library: Library, database: Database) -> None:
        self._library = library
        self._database = database
        self._holder = str(uuid4())
        self._posting = Posting(library.environ, private=library.settings.webhook_private)
        self._retry = Retry(initial=library.settings.webhook_pause, factor=2, maximum=LONGEST_PAUSE)
        self._running: dict[str, tuple[Subscription, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        try:
            while True:
                await unless_broken("the bus of events", self._look())
                await asyncio.sleep(INTERVAL)
        finally:
            await self._end({*self._running})
            await unless_broken("the bus of events", release(self._database, self._holder))

    async def _look(self) -> None:
        try:
            leads = await number(self._database, self._holder, time.time(), LEASE)
        except BaseException:
            # Who cannot say that it goes on is soon replaced.
            await self._end({*self._running})
            raise
        wanted = await asyncio.to_thread(self._subscriptions) if leads else {}
        changed = {name for name, (known, task) in self._running.items() if wanted.get(name) != known or task.done()}
        await self._end(changed)
        for name in wanted.keys() - self._running.keys():
            self._running[name] = wanted[name], asyncio.create_task(self._deliver(name, wanted[name]))

    def _subscriptions(self) -> dict[str, Subscription]:
        """By the names of their positions."""
        events, alerts = self._library.events, self._library.alerts
        subscribers = {f"events/{name}": Subscription(one, events.source) for name, one in events.subscribers.items()}
        return subscribers | {
            f"alerts/{name}": Subscription(one, events.source) for name, one in alerts.channels.items()
        }

    def _sink(self, name: str, subscription: Subscription) -> Sink:
        config, own, environ = subscription.config, name.partition("/")[2], self._library.environ
        if isinstance(config, Subscriber):
            return for_subscriber(config, own, subscription.source, self._posting, environ)
        return for_channel(config, own, subscription.source, self._posting, environ)

    async def _end(self, names: set[str]) -> None:
        tasks = [self._running.pop(name)[1] for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, name: str, subscription: Subscription) -> None:
        async with aclosing(self._sink(name, subscription)) as sink:
            one = _Delivery(self._database, name, subscription, sink, self._retry)
            while True:
                pause = await unless_broken(f"the delivery to {name}", one.look())
                await asyncio.sleep(INTERVAL if pause is None else pause)


class _Delivery:
    """The deliveries to one subscriber. A failing subject is tried again after a pause of its own; a subscriber that
    takes nothing is left alone, longer each time."""

    def __init__(self, database: Database, name: str, subscription: Subscription, sink: Sink, retry: Retry) -> None:
        self._database = database
        self._name = name
        self._subscription = subscription
        self._sink = sink
        self._retry = retry
        self._position: Position | None = None
        self._read = 0
        self._waiting: dict[int, Event] = {}
        self._held: dict[str, Held] = {}
        self._failures = 0

    async def look(self) -> float:
        """Send what is due; for how many seconds there is nothing to do then."""
        if self._position is None:
            self._position = await begin(self._database, self._name)
            self._read = self._position.seq
        more = await self._more()
        given_up = self._given_up()
        taken, failed = False, False
        chains = [
            *due(((seq, event.subject) for seq, event in self._waiting.items()), self._held, time.time()).values()
        ]
        for start in range(0, len(chains), AT_ONCE):
            ends = await asyncio.gather(*(self._chain(chain) for chain in chains[start : start + AT_ONCE]))
            taken, failed = taken or True in ends, failed or False in ends
            if not taken:
                break
        update = {"seq": min(self._waiting, default=self._read + 1) - 1, "given_up": self._position.given_up + given_up}
        if (position := self._position.model_copy(update=update)) != self._position:
            await advance(self._database, position)
            self._position = position
        self._failures = self._failures + 1 if failed and not taken else 0
        if self._failures:
            return self._pause(self._failures)
        return 0.0 if more else INTERVAL

    async def _more(self) -> bool:
        """Read on; whether there is more than was read."""
        if len(self._waiting) > MOST_WAITING:
            return False
        events = await read_after(self._database, self._read, PORTION)
        for event in events:
            assert event.seq is not None
            self._read = event.seq
            if self._subscription.wants(event):
                self._waiting[event.seq] = event
        return len(events) == PORTION

    def _given_up(self) -> int:
        """Drop what was tried for too long; how many these are."""
        late = time.time() - GIVEN_UP
        over = [
            seq for seq, event in self._waiting.items() if event.subject in self._held and event.time.timestamp() < late
        ]
        count = 0
        for seq in over:
            event = self._waiting[seq]
            # The next one of its subject is tried before it is given up too.
            if self._held.pop(event.subject, None) is not None:
                del self._waiting[seq]
                count += 1
                log.error("an event was not taken within a day", subscriber=self._name, event_id=event.id)
        return count

    async def _chain(self, seqs: list[int]) -> bool:
        """Send the events of one subject, in order, until one is not taken; whether any was."""
        for taken, seq in enumerate(seqs):
            event = self._waiting[seq]
            try:
                await self._sink.take(event)
            except Exception as error:
                # Whatever it is: an event that cannot be sent holds up no other subject.
                held = self._held.get(event.subject)
                failures = 1 if held is None else held.failures + 1
                self._held[event.subject] = Held(failures, time.time() + self._pause(failures))
                log.warning(
                    "event not delivered",
                    subscriber=self._name,
                    event_id=event.id,
                    error=f"{type(error).__name__}: {error}",
                )
                return taken > 0
            del self._waiting[seq]
            self._held.pop(event.subject, None)
        return True

    def _pause(self, failures: int) -> float:
        return delay(self._retry, failures, None, random.random())
