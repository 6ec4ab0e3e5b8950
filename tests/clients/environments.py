"""Other people's clients, each installed with its own dependencies into a folder of the user's cache."""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import PIPE, STDOUT
from hashlib import sha256
from pathlib import Path

import pytest

from continuo.config.settings import Settings

INSTALLING = 240.0
"""Seconds in which a client must be installed, below a test's own time limit."""

HERE = Path(__file__).parent
PINNED = HERE / "requirements"
PACKAGE = HERE / "node" / "package.json"


async def printed(*line: str | Path, folder: Path, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """The exit code, what the command printed, and what it said beside it."""
    process = await asyncio.create_subprocess_exec(*map(str, line), cwd=folder, env=env, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def python(client: str) -> Path:
    """The interpreter that has the client. Skips the test where it cannot be installed."""
    requirements = PINNED / f"{client}.txt"
    folder = _folder(client, requirements)
    found = folder / "bin" / "python"
    pip = (found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements)
    await _installed(folder, (sys.executable, "-m", "venv", folder), pip)
    return found


async def node() -> Path:
    """The folder whose scripts find the AI SDK. Skips the test where there is no Node, or it cannot be installed."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no Node with npm on PATH")
    folder = _folder("node", PACKAGE)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(PACKAGE, folder)
    await _installed(folder, (npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder))
    return folder


def _folder(client: str, pinned: Path) -> Path:
    """One for each version of what is pinned, and of the Python that runs it."""
    version = f"{pinned.read_text(encoding='utf-8')} {sys.version_info[:2]}"
    return Settings().cache / "clients" / f"{client}-{sha256(version.encode()).hexdigest()[:12]}"


async def _installed(folder: Path, *lines: tuple[str | Path, ...]) -> None:
    """Run the commands, unless they have all been run for this folder before."""
    ready = folder / "ready"
    if ready.exists():
        return
    for line in lines:
        process = await asyncio.create_subprocess_exec(*map(str, line), stdout=PIPE, stderr=STDOUT)
        try:
            told, _ = await asyncio.wait_for(process.communicate(), INSTALLING)
        except TimeoutError:
            process.kill()
            await process.wait()
            pytest.skip(f"{folder.name} was not installed within {INSTALLING:g} s")
        if process.returncode:
            pytest.skip(f"{folder.name} cannot be installed: {told.decode()[-300:]}")
    ready.touch()


def environment(url: str, key: str, folder: Path, **more: str) -> dict[str, str]:
    """What a client's process may see: nothing of the user's own, and no key of a real provider."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    where = {"HOME": str(folder), "LLM_USER_PATH": str(folder), "OPENAI_AGENTS_DISABLE_TRACING": "1"}
    return {**kept, **where, "CONTINUO_GATEWAY_URL": url, "CONTINUO_GATEWAY_KEY": key, **more}
