"""What is killed of the cluster, and when."""

import asyncio
import time
from collections.abc import Mapping, Sequence

from benchmarks.cluster.cluster import Cluster
from continuo.testing.processes import kill
from continuo.workers.local.processes import Child


def victims(cluster: Cluster) -> Sequence[Child]:
    """A gateway, a pool of each priority, and all that there is one of."""
    pools = {pool.name.split()[0]: pool for pool in reversed(cluster.pools)}
    return [cluster.gateways[0], *pools.values(), cluster.redis, cluster.postgresql, cluster.temporal]


async def killed_in_turn(children: Sequence[Child], interval: float) -> Mapping[str, float]:
    """Kill one each `interval` seconds; who watches them starts them again. When each was killed, by `time.time()`."""
    times = {}
    for child in children:
        times[child.name] = time.time()
        await kill(child)
        await asyncio.sleep(interval)
    return times
