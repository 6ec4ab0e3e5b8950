"""`kill -9` among hundreds of paid calls: what the books say afterwards, beside what the provider counted."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from continuo.door.runs import result
from continuo.jobs import Outcome
from continuo.patterns import Call
from continuo.stores.budgets import Budgets
from continuo.testing.processes import begin, kill
from tests.support.stores import emptied, postgres
from tests.support.world import World, made
from tests.workflows.test_budget import of

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

CALLS, KILLS = 120, 3


@pytest.fixture
async def world(tmp_path: Path, environ: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with postgres(tmp_path / "postgres") as url:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABASE_URL", await emptied(url))
            async with made(tmp_path) as world:
                yield world


async def test_after_kills_at_random_moments_among_many_calls_journal_and_ledger_agree(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(0)
    await world.simulator.behave("sim-mid", latency=0.3, tokens={"input": 100, "output": 100})
    call = Call(model="sim-mid", max_tokens=200)
    pools = [await world.pool(), await world.pool()]
    starting = asyncio.gather(*(begin(world.client, of("roomy", call, f"q{n}")) for n in range(CALLS)))
    for number in range(KILLS):
        # The moment is what is random here, so nothing can be waited for.
        await asyncio.sleep(chance.uniform(0.2, 2))
        await kill(pools[number % 2])
        pools[number % 2] = await world.pool()
    found = await asyncio.wait_for(asyncio.gather(*map(result, await starting)), 200)
    assert [one for one in found if not isinstance(one, Outcome)] == []

    database = world.journal()
    journalled = {row["identity"] for row in await database.read("SELECT identity FROM journal")}
    rows = await database.read("SELECT identity, cost_nanousd FROM ledger")
    balance = await Budgets(database).balance("roomy", datetime.now(UTC).date())
    reserved = await database.read("SELECT identity FROM reservations")
    await database.aclose()
    assert len(journalled) == CALLS
    assert sorted(row["identity"] for row in rows) == sorted(journalled)
    assert balance.spent == pytest.approx(sum(row["cost_nanousd"] for row in rows) / 1e9)
    assert balance.spent == pytest.approx(sum(one.cost_usd or 0 for one in found if isinstance(one, Outcome)))
    assert {row["identity"] for row in reserved} == set()

    # Each call was answered once, and again for every answer that came to a worker already dead: the provider charges
    # for those, and only its own count tells of them.
    asked = Counter(call["idempotency_key"] for call in await world.simulator.calls("sim-mid"))
    answered = Counter(call["idempotency_key"] for call in await world.simulator.calls("sim-mid") if call["answered"])
    assert set(answered) == journalled
    lost = sum(answered.values()) - CALLS
    record_property("answers that the provider gave to dead workers", lost)
    print(f"the provider answered {sum(answered.values())} calls, {lost} of them to workers already dead")
    assert 0 <= lost <= sum(asked.values()) - CALLS
