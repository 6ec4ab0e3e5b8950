"""The researcher of the examples, tested as its own project."""

import asyncio
import os
import sys

import pytest

from tests.support.repository import ROOT


@pytest.mark.chaos
async def test_the_project_passes_its_own_tests() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "-c", os.devnull]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONTINUO_")}
    process = await asyncio.create_subprocess_exec(
        *command,
        "tests",
        cwd=ROOT / "examples" / "research",
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
