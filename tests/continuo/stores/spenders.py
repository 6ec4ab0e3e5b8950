"""`python -m tests.continuo.stores.spenders NUMBER COUNT BUDGET`: so many writers on one; prints what calls they paid.

Each reserves up to 2 cents and pays at most that, or fails and releases, until three in a row are refused.
"""

import asyncio
import random
import sys
import time

from continuo.config.settings import Settings, environment
from continuo.stores.budgets import Budgets, Reservation
from continuo.stores.database import Database
from continuo.stores.journal import Journal
from continuo.stores.opened import open_store
from tests.continuo.stores.test_budgets import CONTEXT, DAY, KEY, outcome
from tests.support.stores import record, release


async def spend(database: Database, name: str, budget: str) -> int:
    chance, budgets, journal = random.Random(name), Budgets(database), Journal(database)
    context = CONTEXT.model_copy(update={"key": KEY if budget == "key" else None})
    paid = refused = number = 0
    while refused < 3:
        number += 1
        identity, most, now = f"{name}/{number}", chance.uniform(0.001, 0.02), time.time()
        wanted = Reservation(identity=identity, attempt=1, tenant="acme", day=DAY, usd=most, expires=now + 60)
        if budget == "key":
            wanted = wanted.model_copy(update={"key": KEY})
        if await budgets.reserve(wanted, limit=1.0 if budget == "tenant" else None, now=now) is not None:
            refused += 1
        elif chance.random() < 0.2:
            await release(journal, identity, 1)
        else:
            await record(journal, identity, outcome(most * chance.random()), context, DAY)
            paid += 1
    return paid


async def main() -> None:
    database = open_store(Settings(), environment())
    number, count, budget = sys.argv[1:]
    paid = await asyncio.gather(*(spend(database, f"{number}.{writer}", budget) for writer in range(int(count))))
    await database.aclose()
    print(sum(paid))


if __name__ == "__main__":
    asyncio.run(main())
