"""The longer randomised fault suites: `make chaos`. Each case is seeded, so that a failure can be had again."""

import asyncio
import random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from continuo.door.runs import result
from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import Call, Fallback, Retry, Step, Template
from continuo.patterns.walk import specs
from continuo.testing.processes import begin, job, kill
from tests.support.trees import trees
from tests.support.world import World
from tests.workflows.test_saga import order

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

ROUNDS = 3


async def test_runs_on_an_ailing_provider_survive_workers_killed_at_random_moments(world: World) -> None:
    """Whatever is killed, every run ends in an answer, and what the journal holds was never asked for again."""
    chance = random.Random(0)
    await world.simulator.behave("sim-premium", latency=0.5, error_rate=0.3, seed=0)
    await world.simulator.behave("sim-mid", latency=0.3, error_rate=0.2, seed=0)
    quick = Retry(attempts=2, initial=0.05)
    step = Fallback(steps=(Call(model="premium", retry=quick), Call(model="mid", retry=quick), Template(text="Sorry.")))
    pool = await world.pool()
    handles = []
    database = world.journal()
    for _ in range(ROUNDS):
        handles += [await begin(world.client, job(step)) for _ in range(10)]
        # The moment is what is random here, so nothing can be waited for.
        await asyncio.sleep(chance.uniform(0.05, 1.5))
        await kill(pool)
        known = {row["identity"] for row in await database.read("SELECT identity FROM journal")}
        asked = len(await world.simulator.calls())
        pool = await world.pool()
        later = (await world.simulator.calls())[asked:]
        assert not known & {call["idempotency_key"] for call in later}
    found = await asyncio.wait_for(asyncio.gather(*map(result, handles)), 400)
    assert [one for one in found if not isinstance(one, Outcome)] == []
    seen = [call["idempotency_key"] for call in await world.simulator.calls() if call["answered"]]
    journalled = {row["identity"] for row in await database.read("SELECT identity FROM journal")}
    ledger = await database.read("SELECT identity, estimated, cost_nanousd FROM ledger")
    await database.aclose()
    # An attempt that died with its worker, and whose call then failed, may have been billed.
    lost = [row for row in ledger if "#" in row["identity"]]
    assert sorted(row["identity"] for row in ledger if row not in lost) == sorted(journalled)
    assert all(row["estimated"] for row in lost)
    told = sum(one.cost_usd or 0 for one in found if isinstance(one, Outcome))
    assert round(told * 1e9) == sum(row["cost_nanousd"] for row in ledger)
    assert journalled <= set(seen)


async def test_orders_add_up_whatever_is_cancelled_failed_or_killed_at_random_moments(world: World) -> None:
    chance = random.Random(0)
    services = ("inventory", "payment", "shipping")
    pool = await world.pool()
    kept = 0
    for number in range(ROUNDS):
        for service in services:
            method = chance.choice(["PUT", "DELETE"])
            fault = {"method": method, "count": chance.randint(0, 4), "latency": chance.uniform(0, 0.2)}
            status = chance.choice([None, 500, 503])
            await world.shop.put(f"/_faults/{service}", status=status, after=chance.random() < 0.5, **fault)
        country = chance.choice(["SE", "SE", "AQ"])
        handles = [await begin(world.client, order(order_id=f"{number}-{n}", country=country)) for n in range(8)]
        await asyncio.sleep(chance.uniform(0, 0.6))
        for handle in chance.sample(handles, 3):
            await handle.cancel()
        if chance.random() < 0.6:
            await kill(pool)
            pool = await world.pool()
        found = await asyncio.wait_for(asyncio.gather(*map(result, handles)), 400)
        assert all(isinstance(one, Outcome) or one.type in ("SagaFailed", "Cancelled") for one in found)
        kept += sum(not isinstance(one, Failure) for one in found)
    totals = await world.shop.get("/totals")
    assert totals["charged_cents"] - totals["refunded_cents"] == kept * 2500
    assert totals["reserved_units"] == kept * 2
    assert totals["shipments"] == kept


async def test_workers_killed_at_random_moments_change_no_answer_of_a_random_tree(world: World) -> None:
    """Eight trees: run in peace, then with killed workers. What is in the journal is never asked for again."""
    for model, latency in {"sim-premium": 0.6, "sim-mid": 0.3, "sim-mini": 0.1}.items():
        await world.simulator.behave(model, latency=latency, confidence=0.9 if model == "sim-premium" else 0.4)
    await world.simulator.behave("sim-free", status=400)
    steps = some_trees(0, ["premium", "mid", "mini", "sim-free"])
    pools = [await world.pool(), await world.pool()]
    in_peace = [result(await begin(world.client, of_user(step, "in peace"))) for step in steps]
    expected = [told(found) for found in await asyncio.gather(*in_peace)]
    chance = random.Random(0)
    database = world.journal()
    handles = [await begin(world.client, of_user(step, "in trouble")) for step in steps]
    for _ in range(2):
        # The moment is what is random here, so nothing can be waited for.
        await asyncio.sleep(chance.uniform(0.05, 2))
        for pool in pools:
            await kill(pool)
        known = {row["identity"] for row in await database.read("SELECT identity FROM journal")}
        asked = len(await world.simulator.calls())
        pools = [await world.pool(), await world.pool()]
        later = (await world.simulator.calls())[asked:]
        assert not known & {call["idempotency_key"] for call in later}
    found = await asyncio.wait_for(asyncio.gather(*map(result, handles)), 400)
    await database.aclose()
    assert [told(one) for one in found] == expected


def some_trees(number: int, models: list[str], *, sagas: bool = True) -> list[Step]:
    """Eight trees of three to thirty steps, the same ones for the same number."""
    found: list[Step] = []

    @seed(number)
    @settings(max_examples=100, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(trees(models, depth=4, sagas=sagas, local=True))
    def draw(step: Step) -> None:
        if 3 <= len(list(specs(step))) <= 30 and step not in found:
            found.append(step)

    draw()
    # Neighbours resemble each other, so every so many.
    return found[:: max(1, len(found) // 8)][:8]


def of_user(step: Step, prompt: str) -> Job:
    """A job of a user, since without one a split sends each run where chance will."""
    asked = job(step, prompt)
    return asked.model_copy(update={"context": asked.context.model_copy(update={"user": "ada"})})


def told(found: Outcome | Failure) -> str:
    """The answer, or what kind of failure, without the question that it names."""
    return found.type if isinstance(found, Failure) else found.text.replace("in peace", "in trouble")
