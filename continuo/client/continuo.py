"""The client: submits patterns through the door, and finds runs again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import PathLike, fspath
from typing import Self, Unpack

from temporalio.contrib.opentelemetry import TracingInterceptor

from continuo.authoring.library import Library
from continuo.client.errors import plain_errors
from continuo.client.options import Options, requested
from continuo.client.run import Run
from continuo.client.schedules import Schedules
from continuo.door import Door
from continuo.door.running import Running
from continuo.errors import InputError
from continuo.jobs import Outcome
from continuo.patterns import Step
from continuo.temporal.connect import connect
from continuo.temporal.idle import native_threads_idle
from continuo.temporal.namespace import namespace_of

Pattern = str | PathLike[str] | Step
"""A name, a YAML file, `model:ID`, or a pattern of `continuo.patterns`."""


class Continuo:
    """Runs patterns. One serves a whole program: any number of tasks, and of event loops, may use it at once."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self.schedules = Schedules(running.door)
        """What is run again and again."""

    @classmethod
    @asynccontextmanager
    async def connect(cls) -> AsyncIterator[Self]:
        """A client of the server that `TEMPORAL_ADDRESS`, or a profile of Temporal's own configuration, names.

        Raises `NoServer` where none answers, and `InputError` for a wrong setting.
        """
        library = await asyncio.to_thread(Library)
        # It says nothing unless the program has OpenTelemetry configured.
        with plain_errors():
            client = await connect([TracingInterceptor()])
            namespace = await namespace_of(client)
        try:
            yield cls(Running(Door(client, library), plain_calls=namespace.plain_calls))
        finally:
            # The program may end with this block, and not by `leave`.
            await native_threads_idle()

    async def run(self, pattern: Pattern, prompt: str | None = None, **options: Unpack[Options]) -> Outcome:
        """Run `pattern` and wait for its answer.

        Raises `InputError` for what cannot run, before anything does, `RunFailed` for a run that ends without an
        answer, and `NoServer` when the server goes away; the run goes on then, as it does when the caller is cancelled.
        """
        return await (await self.start(pattern, prompt, **options)).result()

    async def start(self, pattern: Pattern, prompt: str | None = None, **options: Unpack[Options]) -> Run:
        """Start `pattern` and return as soon as it is kept. Raises `InputError` and `NoServer` as `run` does."""
        named = fspath(pattern) if isinstance(pattern, PathLike) else pattern
        # Not on the event loop: media may be large files.
        door = self._running.door
        request, context, media = await asyncio.to_thread(requested, named, prompt, options)
        with plain_errors():
            checked = await door.check(request, context)
            run = await door.answered(checked) or await self._running.start(checked, media)
        return Run(door, run)

    async def get(self, id: str) -> Run:
        """The newest run of this id, which `Run.id` is. Raises `InputError` for an id that the server does not know."""
        with plain_errors():
            run = await self._running.known(id)
        if run is None:
            raise InputError(f"id: no run is called {id[:200]!r}; give the id of a run that has begun")
        return Run(self._running.door, run)
