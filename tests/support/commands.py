"""Commands of `continuo`, each in a process of its own, or in that of the test."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from continuo.extensions import inside
from continuo.starters.app import COMMANDS, main
from continuo.workers.local.processes import module

FORKED = get_context("forkserver")
"""Its processes are forks of one that has loaded all commands, and what they load when they run: to load that anew
takes longer than most of them do."""
FORKED.set_forkserver_preload(
    [
        "tests.support.commands",
        *(f"continuo.starters.commands.{path.partition(':')[0]}" for path in COMMANDS),
        *inside("continuo.door"),
        *inside("continuo.starters.console"),
        "continuo.evaluation.routing",
        "continuo.starters.doctor.checks",
        "continuo.starters.replaying",
        "continuo.temporal.connect",
        "continuo.workers.pool",
        "tests.support.preloaded",
    ]
)

PATIENCE = 180
"""Seconds for a command that does not hang: a busy machine takes a minute for some."""


@dataclass
class Result:
    code: int
    out: str
    err: str


async def continuo(*arguments: str, stdin: str = "", **environment: str) -> Result:
    """Run a command and wait for its end."""
    with TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("stdin", "stdout", "stderr")]
        files[0].write_bytes(stdin.encode())
        process = FORKED.Process(target=_run, args=(arguments, os.environ | environment, Path.cwd(), files))
        process.start()
        await asyncio.to_thread(process.join, PATIENCE)
        assert process.exitcode is not None
        return Result(process.exitcode, files[1].read_text("utf-8"), files[2].read_text("utf-8"))


async def anew(*arguments: str, **environment: str) -> Result:
    """The same in a process that loads everything anew, for what is decided as modules are loaded."""
    process = await asyncio.create_subprocess_exec(
        *module("continuo", *arguments), stdout=PIPE, stderr=PIPE, env=os.environ | environment
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return Result(process.returncode, out.decode(), err.decode())


def _run(arguments: tuple[str, ...], environment: dict[str, str], folder: Path, files: list[Path]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, (file, mode) in enumerate(zip(files, (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY), strict=True)):
        os.dup2(os.open(file, mode | os.O_CREAT), number)
    # What starts processes has closed it.
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.argv = ["continuo", *arguments]
    main(lambda: None)


class Told(Exception):
    """The exit code of a command, in place of the end of the process."""


def typed(patch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run a command in this process. Its exit code."""
    patch.setattr(sys, "argv", ["continuo", *arguments])

    def leave(code: int) -> None:
        raise Told(code)

    patch.setattr("continuo.starters.app.leave", leave)
    with pytest.raises(Told) as told:
        main(lambda: None)
    code: int = told.value.args[0]
    return code
