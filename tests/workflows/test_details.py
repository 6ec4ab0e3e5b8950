"""What Temporal's UI shows of a run that has ended, as the server gives it."""

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client

from continuo.door.runs import Handle, result
from continuo.patterns import Cached, Call, Fallback, Retry, Step
from continuo.testing.processes import Control, begin, job

pytestmark = pytest.mark.usefixtures("worker")

FALLS = Fallback(steps=(Call(model="premium", retry=Retry(attempts=1)), Call(model="mid")))


async def details(client: Client, step: Step) -> str:
    """Those of a run of the step, at its end."""
    handle: Handle = await begin(client, job(step))
    await result(handle)
    metadata: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(metadata.current_details)


async def test_they_say_who_answered_what_it_cost_and_why_earlier_tiers_gave_way(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-premium", status=400)
    await simulator.behave("sim-mid", tokens={"input": 1000, "output": 100})
    first, title, reason = (await details(client, FALLS)).replace("\n\n- ", "\n\n").split("\n\n")
    assert first.startswith("Answered by `sim-mid`, tier 2, 1000/100 tokens, $0.00")
    assert (title, reason.startswith("tier 1: invalid_request: ")) == ("Gave way:", True)


async def test_an_answer_of_the_cache_says_so(client: Client, simulator: Control) -> None:
    step = Cached(Call(model="mid"))
    await details(client, step)
    assert await details(client, step) == "Answered by `sim-mid`, from the cache, 0/0 tokens, $0.000000"


async def test_a_failure_says_what_was_tried(client: Client, simulator: Control) -> None:
    for model in ("sim-premium", "sim-mid"):
        await simulator.behave(model, status=400)
    found = await details(client, FALLS)
    assert found.startswith("Failed: FallbackExhausted: all 2 tiers failed")
    assert "0/0 tokens, $0.000000\n\nTried:\n\n- tier 1: invalid_request" in found
