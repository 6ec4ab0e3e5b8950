"""A batch whose workers and server are killed accounts for every item. `make chaos` runs it."""

import asyncio

import pytest

from continuo.operations.batches import AtProvider
from continuo.patterns import Call, Retry
from continuo.testing.processes import kill, until
from tests.support.world import World
from tests.workflows.test_batch import batches, numbered

ITEMS, WINDOW = 120, 20


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_every_item_ends_once_whatever_is_killed(world: World) -> None:
    await world.simulator.behave("sim-mid", latency=0.05, error_rate=0.1, seed=7)
    pool = await world.pool()
    async with batches(world.client) as place:
        batch = await place.begun(numbered(ITEMS), Call(model="mid", retry=Retry(attempts=1)), window=WINDOW)

        async def ended(count: int) -> None:
            async def so_many() -> bool:
                known = await place.store.get(place.tenant, "b")
                return known is not None and known.tally.ended >= count

            await until(so_many, timeout=120)

        for share in (1, 2, 3):
            await ended(share * ITEMS // 5)
            await kill(pool)
            if share == 2:
                await kill(world.temporal.child)
                await world.temporal.start()
            pool = await world.pool()
        end = await asyncio.wait_for(place.batches.end(batch), 200)
        assert (end.state, end.tally.ended) == ("done", ITEMS)
        assert 0 < end.tally.failed < ITEMS // 3
        results = await place.store.results(place.tenant, "b", 0, 2 * ITEMS)
        assert [row["number"] for row in results] == list(range(1, ITEMS + 1))
    calls = await world.simulator.calls("sim-mid")
    assert ITEMS <= len(calls) <= ITEMS + 3 * WINDOW


async def at_the_provider(world: World, model: str) -> int:
    """How many batches of a model its provider has taken."""
    path = "/v1/batches" if model == "sim-mid" else "/v1/messages/batches"
    return len((await world.simulator.get(f"{path}?limit=100"))["data"])


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_a_worker_that_dies_before_it_knows_a_batch_that_it_sent_has_it_found_again(world: World) -> None:
    models = ("sim-mid", "sim-premium")
    for model in models:
        await world.simulator.behave(model, batch={"slow": 60})
    pool = await world.pool()
    async with batches(world.client) as place:
        begun = [
            await place.begun(numbered(20), Call(model=model), id=model, at_provider=AtProvider()) for model in models
        ]

        async def taken() -> bool:
            return [await at_the_provider(world, model) for model in models] == [1, 1]

        await until(taken)
        await kill(pool)
        await world.simulator.delete("/_sim/models")
        await world.pool()
        for batch in begun:
            end = await asyncio.wait_for(place.batches.end(batch), 120)
            assert (end.state, end.tally.done) == ("done", 20)
    for model in models:
        assert len(await world.simulator.calls(model)) == 20
        assert await at_the_provider(world, model) == 1


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_every_item_of_a_provider_s_batches_is_asked_once_whatever_is_killed(world: World) -> None:
    await world.simulator.behave("sim-mid", batch={"answers": 35}, error_rate=0.1, seed=7)
    pool = await world.pool()
    async with batches(world.client) as place:
        batch = await place.begun(numbered(ITEMS), Call(model="mid"), at_provider=AtProvider())
        for rounds in (1, 2, 3):

            async def answered() -> bool:
                return len(await world.simulator.calls("sim-mid")) >= 35 * rounds  # noqa: B023

            await until(answered, timeout=120, every=0.01)
            # Its answers are just being taken, or kept.
            await kill(pool)
            if rounds == 2:
                await kill(world.temporal.child)
                await world.temporal.start()
            pool = await world.pool()
        end = await asyncio.wait_for(place.batches.end(batch), 200)
        assert (end.state, end.tally.ended) == ("done", ITEMS)
        assert 0 < end.tally.failed < ITEMS // 3
        sql = "SELECT COUNT(*) AS rows, SUM(cost_nanousd) AS cost FROM ledger WHERE tenant = ?"
        database = world.journal()
        [row] = await database.read(sql, (place.tenant,))
        await database.aclose()
        assert (row["rows"], row["cost"] / 1e9) == (end.tally.done, pytest.approx(end.tally.cost_usd))
    assert len(await world.simulator.calls("sim-mid")) == ITEMS
