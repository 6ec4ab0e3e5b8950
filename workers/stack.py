"""The local stack: Temporal on a SQLite file, the simulated provider, the shop, and a pool for each priority."""

import asyncio
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import get_args

from temporalio.envconfig import ClientConfig

from continuo.errors import InputError
from continuo.jobs import Priority
from continuo.settings import Settings
from workers.processes import Child
from workers.temporal_server import command, ensure


@dataclass(frozen=True)
class Ports:
    """Where the stack listens, on loopback; 0 is any free port."""

    temporal: int = 7233
    ui: int = 8233
    sim: int = 8377
    shop: int = 8378

    def taken_as_free(self, *, temporal: bool) -> "Ports":
        """The same ports with each 0 replaced. Raises `InputError` naming a port that is taken, and its option."""
        wanted = {"sim": self.sim, "shop": self.shop}
        if temporal:
            wanted |= {"temporal": self.temporal, "ui": self.ui}
        found = {name: _free(port, name) for name, port in wanted.items()}
        return Ports(**{"temporal": self.temporal, "ui": self.ui, **found})


def _free(port: int, name: str) -> int:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            option = "--port" if name == "temporal" else f"--{name}-port"
            told = f"port {port} ({name}) is taken; end what listens there, or choose another with {option}"
            raise InputError(told) from None
        number: int = listener.getsockname()[1]
        return number


class Stack:
    """`async with Stack(...) as stack` starts all of it, and leaves nothing behind however the block ends.

    With an address in Temporal's own environment configuration, that cluster is used and no server is started.
    """

    def __init__(self, ports: Ports, data: Path) -> None:
        self._cluster = ClientConfig.load_client_connect_config().get("target_host")
        self._ports = ports.taken_as_free(temporal=self._cluster is None)
        self._data = data.resolve()
        self.children: list[Child] = []
        self.environment = {
            "TEMPORAL_ADDRESS": self._cluster or f"127.0.0.1:{self._ports.temporal}",
            "CONTINUO_DATA": str(self._data),
            "CONTINUO_SIM_URL": f"http://127.0.0.1:{self._ports.sim}",
            "CONTINUO_SHOP_URL": f"http://127.0.0.1:{self._ports.shop}",
            "CONTINUO_UI_URL": Settings().ui_url if self._cluster else f"http://127.0.0.1:{self._ports.ui}",
        }

    async def __aenter__(self) -> "Stack":
        self._data.mkdir(parents=True, exist_ok=True)
        try:
            shop = str(self._data / "shop.db")
            servers = [
                self._python("simulator", "http://", "simulator", "--port", str(self._ports.sim)),
                self._python("shop", "http://", "examples.shop", "--port", str(self._ports.shop), "--data", shop),
            ]
            if self._cluster is None:
                servers.append(await self._temporal())
            await self._start(servers)
            await self._start(
                [
                    self._python(f"{priority} pool", "pool ready", "workers", "--priority", priority)
                    for priority in get_args(Priority)
                ]
            )
        except BaseException:
            await self.stop()
            raise
        pids = {child.name: str(child.pid) for child in self.children}
        self.environment["CONTINUO_WORKER_PIDS"] = ",".join(pid for name, pid in pids.items() if name.endswith("pool"))
        if "temporal" in pids:
            self.environment["CONTINUO_TEMPORAL_PID"] = pids["temporal"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def watch(self, *, restart: bool) -> str:
        """Wait until a child dies and return its name; with `restart` start each that dies again, for ever."""
        while True:
            waits = {asyncio.create_task(_ended(child)): child for child in self.children}
            try:
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            for child in (waits[wait] for wait in done):
                if not restart:
                    return child.name
                print(f"the {child.name} died; starting it again", file=sys.stderr, flush=True)
                await child.start()

    async def stop(self) -> None:
        """End the pools first, so that they can still say goodbye to the server; then the rest."""
        while self.children:
            pools = [child for child in self.children if child.name.endswith("pool")]
            ending = pools or self.children
            await asyncio.gather(*(child.stop() for child in ending))
            self.children = [child for child in self.children if child not in ending]

    async def _start(self, children: list[Child]) -> None:
        self.children += children
        await asyncio.gather(*(child.start() for child in children))

    async def _temporal(self) -> Child:
        binary = await asyncio.to_thread(ensure, Settings().cache)
        line = command(binary, port=self._ports.temporal, ui_port=self._ports.ui, database=self._data / "temporal.db")
        return Child("temporal", line, self._log("temporal"), self._ports.temporal, os.environ)

    def _python(self, name: str, ready: str, *arguments: str) -> Child:
        line = [sys.executable, "-m", *arguments]
        return Child(name, line, self._log(name), ready, {**os.environ, **self.environment})

    def _log(self, name: str) -> Path:
        return self._data / "logs" / f"{name.replace(' ', '-')}.log"


async def _ended(child: Child) -> None:
    assert child.process is not None
    await child.process.wait()
