"""A batch whose workers and server are killed accounts for every item. `make chaos` runs it."""

import asyncio

import pytest

from continuo.patterns import Call, Retry
from continuo.testing.processes import kill, until
from tests.support.world import World
from tests.workflows.test_batch import batches, numbered

ITEMS, WINDOW = 500, 20


@pytest.mark.chaos
@pytest.mark.timeout(240)
async def test_every_item_ends_once_whatever_is_killed(world: World) -> None:
    await world.simulator.behave("sim-mid", latency=0.05, error_rate=0.05, seed=7)
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
        assert 0 < end.tally.failed < ITEMS // 5
        results = await place.store.results(place.tenant, "b", 0, 2 * ITEMS)
        assert [row["number"] for row in results] == list(range(1, ITEMS + 1))
    calls = await world.simulator.calls("sim-mid")
    assert ITEMS <= len(calls) <= ITEMS + 3 * WINDOW
