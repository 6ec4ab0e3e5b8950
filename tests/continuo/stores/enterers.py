"""`python -m tests.continuo.stores.enterers NUMBER`: enters runs into the audit, over and over, until it is killed.

Every run is entered by two of the writers, as by a pool that collects and a gateway. Prints the last number of each
batch of runs once that is entered.
"""

import asyncio
import sys
from itertools import count

from continuo.config.settings import Settings, environment
from continuo.operations.audit import Seen
from continuo.stores.opened import open_store
from continuo.stores.runs import Runs
from tests.continuo.stores.test_runs import done

TOGETHER = 5


async def main() -> None:
    writer = int(sys.argv[1])
    runs = Runs(open_store(Settings(), environment()), "here")
    print("ready", flush=True)
    for batch in count():
        numbers = range(batch * TOGETHER, (batch + 1) * TOGETHER)
        rows = [done(f"{writer // 2}-{number}", tenant=("acme", "globex")[number % 2]) for number in numbers]
        await runs.keep(rows, [entry for row in rows for entry in Seen(row).entries])
        print(numbers[-1], flush=True)


if __name__ == "__main__":
    asyncio.run(main())
