"""Processor time by kind of process."""

import os
import time

from benchmarks.cluster.cluster import Cluster
from benchmarks.processes import family, processor_seconds
from continuo.workers.local.processes import Child


class Usage:
    """What is used from now until `end`: `shares` are the processors that each kind of process keeps busy."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._began, self._before = cluster, time.monotonic(), _used(cluster)
        self.seconds = 0.0
        self.shares: dict[str, float] = {}

    def end(self) -> None:
        self.seconds, now = time.monotonic() - self._began, _used(self._cluster)
        self.shares = {name: (used - self._before[name]) / self.seconds for name, used in now.items()}


def _used(cluster: Cluster) -> dict[str, float]:
    """Seconds that each kind of process has used, and this one, which is the client."""
    children: dict[str, list[Child]] = {
        "gateways": cluster.gateways,
        "pools": cluster.pools,
        "balancer": [cluster.balancer] if cluster.balancer else [],
        "temporal": [cluster.temporal],
        "postgresql": [cluster.postgresql],
        "redis": [cluster.redis],
        "simulated provider": [cluster.simulator],
    }
    used = {
        name: sum(processor_seconds(pid) for child in some for pid in family(child.pid))
        for name, some in children.items()
    }
    return used | {"client": processor_seconds(os.getpid())}
