"""Others' programs, each in an environment of its own in the user's cache."""

import asyncio
import sys
from pathlib import Path


async def installed(name: str, *installs: tuple[str, ...]) -> Path:
    """The folder of its programs; each of `installs` is what a run of pip gets. Raises `RuntimeError` if one fails."""
    folder = Path.home() / ".cache" / "continuo" / name
    if not (folder / "ready").exists():
        pip = (str(folder / "bin" / "pip"), "install", "--quiet")
        for line in ((sys.executable, "-m", "venv", str(folder)), *((*pip, *packages) for packages in installs)):
            process = await asyncio.create_subprocess_exec(*line)
            if await process.wait():
                raise RuntimeError(f"{name} cannot be installed: {' '.join(line)}")
        (folder / "ready").touch()
    return folder / "bin"
