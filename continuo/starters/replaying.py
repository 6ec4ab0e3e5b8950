"""A project and a stack of its own for a replay: the models of a table are simulated, and no run is kept."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, chdir, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.data import Data
from continuo.door.request import Line, Request
from continuo.errors import InputError
from continuo.evaluation.replay import Taken, TakenCall
from continuo.evaluation.table import Question
from continuo.jobs import Context, Failure, Outcome
from continuo.operations.batches import BatchRow, Terms
from continuo.patterns import Step
from continuo.patterns.call import Call
from continuo.patterns.walk import replaced
from continuo.starters.batches import opened_batches
from continuo.starters.console.batch_progress import follow
from continuo.starters.console.terminal import err
from continuo.starters.service import Service
from continuo.workers.local.ports import Ports
from continuo.workers.local.processes import Child, module
from continuo.workers.local.temporal_server import answers, command, find, provide

PREFIX = "table:"
"""Before the names of the table's models: the catalog may have others of these names, with successors and limits."""

PAGE = 500
TENANT, BATCH = "default", "replay"

_FILES = {
    "continuo.toml": 'catalog = "catalog.toml"\nguardrails = "guardrails.toml"\ndata = "data"\nsimulated = true\n',
    # What was asked is asked again word for word.
    "guardrails.toml": '[default]\npersonal = "off"\nsecrets = "off"\ninjection = "off"\n',
}


@contextmanager
def table_project(questions: Sequence[Question]) -> Iterator[Library]:
    """A project in which patterns, those of the project here, find the models of a table. Inside, this process and its
    children are in it, and know of no store and no cluster of the one here."""
    settings = Settings()
    kept = {"CONTINUO_PATTERNS": str(settings.patterns.resolve()), "CONTINUO_CACHE": str(settings.cache.resolve())}
    before = dict(os.environ)
    with TemporaryDirectory(prefix="continuo-replay-", ignore_cleanup_errors=True) as folder, chdir(folder):
        models = sorted({model for question in questions for model in question.models})
        for name, text in {**_FILES, "catalog.toml": _catalog(models)}.items():
            Path(name).write_text(text, encoding="utf-8")
        for name in before:
            if name.startswith(("CONTINUO_", "TEMPORAL_")) or name in ("DATABASE_URL", "REDIS_URL"):
                del os.environ[name]
        os.environ.update(kept)
        try:
            yield Library()
        finally:
            os.environ.clear()
            os.environ.update(before)


def as_in_table(step: Step) -> Step:
    """The same step with its models called as in the table."""

    def renamed(part: Data) -> Data:
        return part.model_copy(update={"model": part.model.removeprefix(PREFIX)}) if isinstance(part, Call) else part

    return replaced(step, renamed)


def _catalog(models: Sequence[str]) -> str:
    entries = [
        f'[models.{json.dumps(PREFIX + model)}]\nprovider = "sim-openai"\nname = {json.dumps(model)}\nlogprobs = true\n'
        for model in models
    ]
    aliases = [f"{json.dumps(model)} = [{json.dumps(PREFIX + model)}]\n" for model in models]
    return "\n".join([*entries, "[aliases]\n"]) + "".join(aliases)


async def run_through(library: Library, pattern: str, questions: Sequence[Question]) -> list[Taken]:
    """Run each question through a pattern of a `table_project`, on a stack of its own; show how that goes.

    Raises `InputError` where one fails.
    """
    async with _stack():
        await serve(questions)
        return await run_batch(library, pattern, questions)


async def serve(questions: Sequence[Question]) -> None:
    """Have the simulated provider answer as the table does."""
    service = Service(environment()["CONTINUO_SIM_URL"])
    try:
        for model, scripted in _answers(questions).items():
            await service.put(f"/_sim/models/{quote(model)}", answers=scripted)
    finally:
        await service.aclose()


async def run_batch(library: Library, pattern: str, questions: Sequence[Question]) -> list[Taken]:
    """Run each question through a pattern, as one batch, and show how that goes.

    Raises `InputError` where one fails.
    """
    async with opened_batches(library) as (batches, store):
        context = Context(tenant=TENANT, pattern=pattern, priority="batch")
        terms = Terms(step=library.step(pattern), context=context)
        requests = (Request(pattern=pattern, prompt=question.prompt) for question in questions)
        lines = [Line(number, request) for number, request in enumerate(requests, 1)]
        batch = await batches.submit(BATCH, BATCH, terms, "the table", lines)

        async def look() -> BatchRow:
            return await store.get(TENANT, BATCH) or batch

        await follow(err, batch, look, asyncio.create_task(batches.end(batch)))
        went: list[Taken] = []
        while rows := await store.results(TENANT, BATCH, len(went), PAGE):
            went += [_taken(row["number"], row["state"], row["result"]) for row in rows]
        return went


def _taken(number: int, state: str, result: str) -> Taken:
    if state != "done":
        raise InputError(f"question {number} has no answer: {Failure.model_validate_json(result).message}")
    outcome = Outcome.model_validate_json(result)
    calls = tuple(TakenCall(call.path, call.model.removeprefix(PREFIX)) for call in outcome.calls)
    return Taken(calls, outcome.model and outcome.model.removeprefix(PREFIX))


@asynccontextmanager
async def _stack() -> AsyncIterator[None]:
    """Temporal, the simulated provider and a pool, which keep their files in the working folder."""
    ports = Ports(0, 0, 0, 0).taken_as_free(temporal=True)
    os.environ["TEMPORAL_ADDRESS"] = f"127.0.0.1:{ports.temporal}"
    os.environ["CONTINUO_SIM_URL"] = f"http://127.0.0.1:{ports.sim}"
    cache, here = Settings().cache, Path.cwd()
    binary = find(cache) or await provide(cache)
    server = command(binary, port=ports.temporal, ui_port=ports.ui, database=here / "temporal.db")
    simulator = module("continuo.simulator", "--port", str(ports.sim))
    pool = module("continuo", "workers", "--priority", "batch")
    async with AsyncExitStack() as stack:
        for name, line, ready in (
            ("temporal", server, partial(answers, ports.temporal)),
            ("simulator", simulator, "http://"),
            ("pool", pool, "pool ready"),
        ):
            child = Child(name, line, here / f"{name}.log", ready, os.environ)
            stack.push_async_callback(child.stop)
            await child.start()
        yield


def _answers(questions: Sequence[Question]) -> dict[str, dict[str, object]]:
    """For each model what the simulated one says to each prompt."""
    scripts: dict[str, dict[str, object]] = {}
    for question in questions:
        for model, one in question.models.items():
            scripts.setdefault(model, {})[question.prompt] = {
                "text": one.answer or None,
                "confidence": one.confidence,
                "tokens": {"input": one.tokens_in, "output": one.tokens_out},
            }
    return scripts
