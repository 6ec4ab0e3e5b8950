"""A batch beside bare children, and beside as many of our own runs without a batch."""

import time
from uuid import uuid4

from rich.table import Table

from benchmarks.cases import MODEL
from benchmarks.measure import crowd
from benchmarks.stage import PROMPT, Stage
from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.door import Door, Request
from continuo.door.batches import Batches
from continuo.door.request import Line
from continuo.jobs import Context
from continuo.operations.batches import Terms
from continuo.patterns import Call
from continuo.stores.batches import BatchStore
from continuo.stores.opened import open_store
from continuo.temporal.namespace import namespace_of

WINDOW = 20


async def batch(stage: Stage, *, items: int, rounds: int) -> Table:
    """Items a second, of the best of so many rounds, in which they take turns."""
    table = Table("children", "items/s", "of bare", title=f"a batch of {items:,}, {WINDOW} at once; aim: 0.9 of bare")
    step = Call(model=MODEL)
    bare, runs = stage.bare("BareBatch", MODEL, PROMPT, items, WINDOW), stage.continuo(step)
    rates: dict[str, list[float]] = {"bare children": [], "runs without a batch": [], "a batch": []}
    for _ in range(rounds):
        for name, rate in rates.items():
            if name == "a batch":
                rate.append(await _batch(stage, step, items))
                continue
            started = time.perf_counter()
            await (bare() if name == "bare children" else crowd(runs, items))
            rate.append(items / (time.perf_counter() - started))
    for name, rate in rates.items():
        table.add_row(name, f"{max(rate):.0f}", f"{max(rate) / max(rates['bare children']):.2f}")
    return table


async def _batch(stage: Stage, step: Call, items: int) -> float:
    database = open_store(Settings(), environment())
    store = BatchStore(database, (await namespace_of(stage.client)).id)
    batches, library, id = Batches(Door(stage.client, Library()), store), Library(), uuid4().hex
    context = Context(pattern="test", tenant="acme")
    terms = Terms(step=library.step(step), context=context, window=WINDOW)
    lines = (Line(n, Request(pattern=step, name="test", prompt=f"{PROMPT} {id} {n}")) for n in range(items))
    row = await batches.submit(id, id, terms, "items", lines)
    # Its items have been checked and kept, which is not what is compared.
    started = time.perf_counter()
    ended = await batches.end(row)
    seconds = time.perf_counter() - started
    await database.aclose()
    assert ended.tally.done == items, ended
    return items / seconds
