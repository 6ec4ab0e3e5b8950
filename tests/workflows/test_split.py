from collections import Counter
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.jobs import Job
from continuo.patterns import Call, Fallback, Retry, Split, Step, Template, Variant
from continuo.testing.processes import Control, begin, failure, job, outcome, until
from continuo.workers.pool import pool

pytestmark = pytest.mark.usefixtures("worker")
HALVES = {"a": Variant(step=Template(text="a")), "b": Variant(step=Template(text="b"))}


def of(step: Step, **context: str) -> Job:
    asked = job(step)
    return asked.model_copy(update={"context": asked.context.model_copy(update=context)})


async def test_a_user_stays_at_one_variant_and_users_are_spread(client: Client) -> None:
    users = [f"user-{number}" for number in range(20)]
    first = [(await outcome(client, of(Split(variants=HALVES), user=user))).text for user in users]
    again = [(await outcome(client, of(Split(variants=HALVES), user=user))).text for user in users]
    assert first == again
    assert set(first) == {"a", "b"}


async def test_a_session_stays_at_one_variant_whoever_it_is(client: Client) -> None:
    step = Split(variants=HALVES, sticky="session")
    found = {(await outcome(client, of(step, user=f"u{number}", session="s"))).text for number in range(10)}
    assert len(found) == 1


async def test_a_job_without_a_user_is_sent_at_random_by_weight(client: Client) -> None:
    variants = {"rare": Variant(weight=0.0001, step=Template(text="rare")), "usual": HALVES["a"]}
    found = Counter([(await outcome(client, job(Split(variants=variants)))).text for _ in range(10)])
    assert found == {"a": 10}
    assert len({(await outcome(client, job(Split(variants=HALVES)))).text for _ in range(30)}) == 2


async def test_the_outcome_says_which_variant_answered(client: Client) -> None:
    found = await outcome(client, job(Split(variants={"only": HALVES["a"]})))
    assert found.variant == "only"
    assert [point.name for point in found.checkpoints] == ["split: variant only"]


async def test_a_failure_says_which_variant_failed(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", status=400)
    failing = Split(variants={"only": Variant(step=Call(model="mid"))})
    inner = Fallback(steps=(failing, Split(variants={"second": Variant(step=Call(model="mid"))})))
    for step, variant in (
        (failing, "only"),
        (Split(variants={"outer": Variant(step=inner)}), "outer"),
        (inner, "only"),
    ):
        assert (await failure(client, job(step))).variant == variant


@pytest.fixture
async def batch(client: Client) -> AsyncIterator[None]:
    """A pool on the queue of the shadows."""
    async with pool(client, Library(), "batch", 20):
        yield


@pytest.mark.usefixtures("batch")
async def test_a_slow_shadow_neither_delays_nor_changes_the_answer_and_runs_to_its_end(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-premium", latency=2)
    step = Split(variants={"a": HALVES["a"]}, shadow={"new": Call(model="premium")})
    handle = await begin(client, job(step))
    found = await handle.result()
    assert (found.text, found.calls) == ("a", ())
    assert found.latency_ms is not None
    assert not any(call["answered"] for call in await simulator.calls())

    async def shadow_answered() -> bool:
        return bool((await client.get_workflow_handle(f"{handle.id}.shadow.new").result())["text"])

    await until(shadow_answered)
    shadow = await client.get_workflow_handle(f"{handle.id}.shadow.new").describe()
    assert shadow.task_queue == "batch"


@pytest.mark.usefixtures("batch")
async def test_a_shadow_that_fails_changes_nothing(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=400)
    step = Split(
        variants={"a": Variant(step=Call(model="mid"))},
        shadow={"new": Call(model="premium", retry=Retry(attempts=1))},
    )
    found = await outcome(client, job(step))
    assert [call.path for call in found.calls] == ["a"]
