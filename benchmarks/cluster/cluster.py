"""The processes of docker-compose.yml: described, and run until a block ends."""

import asyncio
import os
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from pathlib import Path
from secrets import token_bytes
from socket import socket
from typing import Any, get_args

from benchmarks.cluster.balancer import Balancer
from benchmarks.cluster.compose import replicas
from benchmarks.cluster.servers import Postgres, Redis, Temporal
from benchmarks.keys import new_key
from continuo.config.settings import Settings
from continuo.jobs import Priority
from continuo.observing.exposition import free_address
from continuo.protection.vault_key import VARIABLE as VAULT_KEY
from continuo.stores.opened import open_store
from continuo.workers.local.data_folder import held
from continuo.workers.local.ports import listening
from continuo.workers.local.processes import Child, module
from continuo.workers.local.supervision import start, watch

PATIENCE = 300.0
"""Seconds for one of many processes that start at once on a busy machine."""


class Cluster:
    """All of its children, none of them started, on free ports of loopback.

    `services` says how many there are of one that has replicas, where that is not what the file says. The environment
    of our processes has where the others are, and `variables`. Each has a data folder of its own in `folder`, as in a
    container. Models are simulated, whatever keys are there. Without HAProxy there is no `balancer`, and the gateways
    accept from one socket.
    """

    def __init__(
        self, folder: Path, *, variables: Mapping[str, str] | None = None, services: Mapping[str, int] | None = None
    ) -> None:
        self.folder, self._services = folder, services or {}
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        self.postgresql, self.redis, self.temporal = Postgres(folder), Redis(folder), Temporal(folder)
        simulator, shop = free_address(), free_address()
        self.environment = {
            "TEMPORAL_ADDRESS": self.temporal.address,
            "DATABASE_URL": self.postgresql.url,
            "REDIS_URL": self.redis.url,
            VAULT_KEY: f"first:{b64encode(token_bytes(32)).decode()}",
            "CONTINUO_UI_URL": self.temporal.ui,
            "CONTINUO_SIM_URL": f"http://{simulator}",
            "CONTINUO_SHOP_URL": f"http://{shop}",
            "CONTINUO_SIMULATED": "1",
            **(variables or {}),
        }
        self.simulator = self._python("simulator", "http://", "continuo.simulator", "--port", _port(simulator))
        data = ("--data", str(folder / "shop.db"))
        self.shop = self._python("shop", "http://", "continuo.simulator.shop", "--port", _port(shop), *data)
        self.metrics = {name: free_address() for priority in get_args(Priority) for name in self._names(priority)}
        self.pools = [self._pool(name, address) for name, address in self.metrics.items()]
        self.listener: socket | None = None
        self.balancer: Balancer | None = None
        gateways = self._names("gateway")
        listen: list[tuple[str, ...]]
        if shutil.which("haproxy"):
            self.addresses = [free_address() for _ in gateways]
            listen = [("--host", "127.0.0.1", "--port", _port(address)) for address in self.addresses]
            self.balancer = Balancer(folder, self.addresses)
            self.url = self.balancer.url
        else:
            self.listener = listening(0, "gateway")
            self.addresses = ["{}:{}".format(*self.listener.getsockname())]
            listen = [("--socket", str(self.listener.fileno())) for _ in gateways]
            self.url = f"http://{self.addresses[0]}"
        self.gateways = [self._gateway(*gateway) for gateway in zip(gateways, listen, strict=True)]

    @property
    def tiers(self) -> Sequence[Sequence[Child]]:
        """All children, each behind those that it needs."""
        servers = [self.postgresql, self.redis, self.temporal, self.simulator, self.shop]
        return servers, [*self.pools, *self.gateways], [self.balancer] if self.balancer else []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Inside, all of it runs, and what dies is started again; at the end nothing is left.

        Raises `InputError` where the folder is another cluster's, or something cannot be started.
        """
        async with AsyncExitStack() as stack:
            stack.enter_context(held(self.folder))
            if self.listener:
                stack.enter_context(self.listener)
            for tier in self.tiers:
                stack.push_async_callback(_stop, tier)
                await start(tier)
            watching = asyncio.create_task(watch(self._all(), restart=True))
            try:
                yield
            finally:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching

    async def key(self, name: str, **fields: Any) -> str:
        """The secret of a new API key."""
        return await new_key(self.environment, name=name, tenant="default", **fields)

    async def booked(self) -> list[str]:
        """The identities of all rows of the ledger."""
        async with aclosing(open_store(Settings(), self.environment)) as store:
            return [row["identity"] for row in await store.read("SELECT identity FROM ledger")]

    def _all(self) -> Iterator[Child]:
        return (child for tier in self.tiers for child in tier)

    def _names(self, service: str) -> list[str]:
        return [f"{service} {number}" for number in range(1, self._services.get(service, replicas(service)) + 1)]

    def _pool(self, name: str, metrics: str) -> Child:
        line = ("continuo", "workers", "--priority", name.split()[0])
        return self._python(name, "pool ready", *line, CONTINUO_METRICS_ADDRESS=metrics)

    def _gateway(self, name: str, listen: Sequence[str]) -> Child:
        child = self._python(name, "gateway ready", "continuo", "gateway", *listen)
        child.sockets = [self.listener] if self.listener else []
        return child

    def _python(self, name: str, ready: str, *line: str, **more: str) -> Child:
        file = name.replace(" ", "-")
        environment = {**os.environ, **self.environment, "CONTINUO_DATA": str(self.folder / "data" / file), **more}
        log = self.folder / "logs" / f"{file}.log"
        return Child(name, module(*line), log, ready, environment, patience=PATIENCE)


async def _stop(children: Sequence[Child]) -> None:
    await asyncio.gather(*(child.stop() for child in children))


def _port(address: str) -> str:
    return address.rpartition(":")[2]
