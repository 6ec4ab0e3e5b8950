"""What real runs put on the bus."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.client import Client

from continuo.config.events import Wanted
from continuo.config.settings import Settings, environment
from continuo.door.collecting import collect
from continuo.operations.events import whole_run
from continuo.patterns import Call, Ensemble, Pipeline
from continuo.patterns.pipeline import PipelineStep
from continuo.stores.events import latest
from continuo.stores.opened import open_store
from continuo.stores.runs import Runs
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import Control, begin, job, until

PATHS = st.lists(st.text("abc01", min_size=1, max_size=3), min_size=1, max_size=5)


@given(run=st.text("xyz/-", min_size=1), path=PATHS, child=st.integers(0, 5))
def test_a_call_knows_its_whole_run_in_whichever_child_it_is_made(run: str, path: list[str], child: int) -> None:
    below = ".".join(path[:child])
    assert whole_run(f"{run}.{below}" if below else run, ".".join(path)) == run


@pytest.mark.usefixtures("worker")
async def test_the_calls_of_a_run_come_before_its_end_and_all_are_of_one_subject(
    client: Client, simulator: Control
) -> None:
    """Its branches are workflows of their own."""
    database = open_store(Settings(), environment())
    steps = tuple(PipelineStep(name=name, step=Call(model=name)) for name in ("mini", "premium"))
    run = await begin(client, job(Ensemble(members=(Call(model="mini"), Pipeline(steps=steps)))))
    await run.result()

    async def ended() -> bool:
        await collect(client, Runs(database, (await namespace_of(client)).id))
        return any(event.type.startswith("run.") for event in await latest(database, Wanted(), run.id, 50))

    await until(ended)
    events = await latest(database, Wanted(), run.id, 50)
    assert [event.type for event in events][-1] == "run.completed"
    assert {event.type for event in events[:-1]} == {"call.completed"}
    assert "Where is my order" not in str(events)
    await database.aclose()
