"""The client without `await`: the same, on an event loop in a thread of its own.

It may be used where a loop runs as well, such as in a notebook, and by any number of threads.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import ParamSpec, Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from continuo import client

P = ParamSpec("P")
T = TypeVar("T")


def blocking(portal: BlockingPortal, function: Callable[P, Awaitable[T]]) -> Callable[P, T]:
    """`function` as one that waits, while the loop of `portal` runs it."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return portal.call(partial(function, *args, **kwargs))

    return call


class Run:
    """As `continuo.client.Run`."""

    def __init__(self, portal: BlockingPortal, run: client.Run) -> None:
        self.id = run.id
        self.result = blocking(portal, run.result)
        self._stream = run.stream
        self._next = blocking(portal, _next)
        self.progress = blocking(portal, run.progress)
        self.cancel = blocking(portal, run.cancel)
        self.signal = blocking(portal, run.signal)
        self.say = blocking(portal, run.say)
        self.transcript = blocking(portal, run.transcript)
        self.resolve = blocking(portal, run.resolve)
        self.retry = blocking(portal, run.retry)
        self.discard = blocking(portal, run.discard)

    def stream(self) -> Iterator[str]:
        """As `continuo.client.Run.stream`."""
        pieces = self._stream()
        while (piece := self._next(pieces)) is not None:
            yield piece


class Schedules:
    """As `continuo.client.Schedules`."""

    def __init__(self, portal: BlockingPortal, inner: client.Schedules) -> None:
        self.create = blocking(portal, inner.create)
        self.create_batch = blocking(portal, inner.create_batch)
        self.list = blocking(portal, inner.list)
        self.show = blocking(portal, inner.show)
        self.pause = blocking(portal, inner.pause)
        self.resume = blocking(portal, inner.resume)
        self.trigger = blocking(portal, inner.trigger)
        self.delete = blocking(portal, inner.delete)


class Continuo:
    """As `continuo.client.Continuo`."""

    def __init__(self, portal: BlockingPortal, inner: client.Continuo) -> None:
        self.run = blocking(portal, inner.run)
        self.start = _giving_run(portal, inner.start)
        self.get = _giving_run(portal, inner.get)
        self.schedules = Schedules(portal, inner.schedules)

    @classmethod
    @contextmanager
    def connect(cls) -> Iterator[Self]:
        """As `continuo.client.Continuo.connect`."""
        with (
            start_blocking_portal(name="continuo") as portal,
            portal.wrap_async_context_manager(client.Continuo.connect()) as inner,
        ):
            yield cls(portal, inner)


def _giving_run(portal: BlockingPortal, function: Callable[P, Awaitable[client.Run]]) -> Callable[P, Run]:
    call = blocking(portal, function)

    @wraps(function)
    def started(*args: P.args, **kwargs: P.kwargs) -> Run:
        return Run(portal, call(*args, **kwargs))

    return started


async def _next(pieces: AsyncIterator[str]) -> str | None:
    return await anext(pieces, None)
