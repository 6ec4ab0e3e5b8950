"""Python scripts, run in processes of their own."""

import asyncio
import os
import sys


async def script(text: str, **environment: str) -> str:
    """What the script `text` prints. One that fails, or warns, fails the test."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", text),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (process.returncode, err.decode())
    return out.decode()
