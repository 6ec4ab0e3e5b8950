"""The local stack: Temporal on a SQLite file, the simulated provider, the shop, a pool for each priority, a gateway."""

import asyncio
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack, aclosing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from types import TracebackType
from typing import get_args

from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.jobs import Priority
from continuo.protection.api_keys import ApiKey, new_id, new_secret
from continuo.protection.webhooks import keys_of
from continuo.stores.api_keys import ApiKeys
from continuo.stores.opened import open_store
from continuo.temporal.connect import connection
from continuo.workers.local.data_folder import held
from continuo.workers.local.manifest import TEMPORAL
from continuo.workers.local.ports import Ports, listening
from continuo.workers.local.processes import Child, module
from continuo.workers.local.supervision import start
from continuo.workers.local.temporal_server import answers, command, find, provide


class Stack:
    """`async with Stack(...) as stack` starts all of it, and leaves nothing behind however the block ends.

    With an address in Temporal's own environment configuration, that cluster is used and no server is started.
    Inside, `environment` tells another process where everything is, in the variables that ours read, and as
    `CONTINUO_WORKER_PIDS` and `CONTINUO_METRICS_URLS` (of the pools, with commas), `CONTINUO_GATEWAY_PID`,
    `CONTINUO_GATEWAY_KEY` (an API key that is revoked at the end) and `CONTINUO_TEMPORAL_PID` (without a cluster of
    one's own). Webhooks are signed by a key of this stack if there is no other, and may go to this machine. What the
    `modules` have joins every pool.
    Raises `InputError` for a port or a data folder that is taken, a webhook key that can be guessed, or what is wrong
    in a file of the configuration, before anything starts.
    """

    def __init__(self, ports: Ports, data: Path, modules: Sequence[str] = ()) -> None:
        config, settings = connection(), Settings()
        Library(settings).load()
        set_by_hand = settings.model_fields_set
        self._cluster, self._namespace = config.get("target_host"), config.get("namespace", "default")
        self._ports = ports.taken_as_free(temporal=self._cluster is None)
        self._data = data.resolve()
        self._modules = modules
        self._held = ExitStack()
        # Held here, so that who connects while the gateway is started again waits instead of being refused.
        self._gateway = self._held.enter_context(listening(ports.gateway, "gateway"))
        self.children: list[Child] = []
        self._key_id: str | None = None
        self.environment = {
            "TEMPORAL_ADDRESS": self._cluster or f"127.0.0.1:{self._ports.temporal}",
            "CONTINUO_DATA": str(self._data),
            "CONTINUO_SIM_URL": f"http://127.0.0.1:{self._ports.sim}",
            "CONTINUO_SHOP_URL": f"http://127.0.0.1:{self._ports.shop}",
            "CONTINUO_GATEWAY_URL": f"http://127.0.0.1:{self._gateway.getsockname()[1]}",
            "CONTINUO_UI_URL": settings.ui_url if self._cluster else f"http://127.0.0.1:{self._ports.ui}",
            # Its pools are all of one, and nobody says there which is the current one.
            "CONTINUO_BUILD": "",
            "CONTINUO_WEBHOOK_KEY": environment().get("CONTINUO_WEBHOOK_KEY") or token_urlsafe(),
            # Who tries them here listens here, as long as nobody forbids it.
            "CONTINUO_WEBHOOK_PRIVATE": str(int(settings.webhook_private or "webhook_private" not in set_by_hand)),
        }
        keys_of(self.environment)

    async def __aenter__(self) -> "Stack":
        try:
            self._held.enter_context(held(self._data))
            if self._cluster is None:
                await self._start([await self._temporal()])
            shop = str(self._data / "shop.db")
            await self._start(
                [
                    self._python("simulator", "http://", "continuo.simulator", "--port", str(self._ports.sim)),
                    self._python(
                        "shop", "http://", "continuo.simulator.shop", *("--port", str(self._ports.shop)), "--data", shop
                    ),
                    *(self._pool_child(priority, number) for number, priority in enumerate(get_args(Priority))),
                    self._gateway_child(),
                ]
            )
            self.environment["CONTINUO_GATEWAY_KEY"] = await self._key()
        except BaseException:
            await self.stop()
            raise
        ready = [json.loads(child.ready_line) for child in self.children if child.name.endswith("pool")]
        self.environment["CONTINUO_METRICS_URLS"] = ",".join(f"http://{line['metrics']}/metrics" for line in ready)
        pids = {child.name: str(child.pid) for child in self.children}
        self.environment["CONTINUO_WORKER_PIDS"] = ",".join(pid for name, pid in pids.items() if name.endswith("pool"))
        self.environment["CONTINUO_GATEWAY_PID"] = pids["gateway"]
        if "temporal" in pids:
            self.environment["CONTINUO_TEMPORAL_PID"] = pids["temporal"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """End the gateway and the pools first, so that they can still say goodbye to the server; then the rest."""
        while self.children:
            first = [child for child in self.children if child.name == "gateway" or child.name.endswith("pool")]
            ending = first or self.children
            await asyncio.gather(*(child.stop() for child in ending))
            self.children = [child for child in self.children if child not in ending]
        if self._key_id is not None:
            async with aclosing(open_store(Settings(data=self._data), environment())) as store:
                await ApiKeys(store).revoke(self._key_id, datetime.now(UTC))
        self._held.close()

    async def _start(self, children: list[Child]) -> None:
        self.children += children
        await start(children)

    async def _temporal(self) -> Child:
        cache, database = Settings().cache, self._data / TEMPORAL
        binary = find(cache) or await provide(cache)
        line = command(
            binary, port=self._ports.temporal, ui_port=self._ports.ui, database=database, namespace=self._namespace
        )
        ready = partial(answers, self._ports.temporal, self._namespace)
        return Child("temporal", line, self._log("temporal"), ready, os.environ)

    def _python(self, name: str, ready: str, *arguments: str) -> Child:
        return Child(name, module(*arguments), self._log(name), ready, {**os.environ, **self.environment})

    def _pool_child(self, priority: Priority, number: int) -> Child:
        first = self._ports.metrics
        address = f"127.0.0.1:{first and first + number}"
        joining = [part for module in self._modules for part in ("--with", module)]
        line = module("continuo", "workers", "--priority", priority, *joining)
        environment = {**os.environ, **self.environment, "CONTINUO_METRICS_ADDRESS": address}
        return Child(f"{priority} pool", line, self._log(f"{priority} pool"), "pool ready", environment)

    def _gateway_child(self) -> Child:
        line = module("continuo", "gateway", "--socket", str(self._gateway.fileno()))
        environment = {**os.environ, **self.environment}
        return Child("gateway", line, self._log("gateway"), "gateway ready", environment, sockets=[self._gateway])

    async def _key(self) -> str:
        """The secret of a key that is made for this stack, and revoked with it."""
        settings, secret = Settings(data=self._data), new_secret(new_id())
        key = ApiKey(id=secret.id, name="continuo dev", tenant="default", created=datetime.now(UTC), admin=True)
        async with aclosing(open_store(settings, environment())) as store:
            await ApiKeys(store).create(key, secret)
        self._key_id = key.id
        return secret.text

    def _log(self, name: str) -> Path:
        return self._data / "logs" / f"{name.replace(' ', '-')}.log"
