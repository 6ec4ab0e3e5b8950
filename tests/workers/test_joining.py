"""Workflows and activities of a user's own in a pool."""

import sys
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.client import Client

from continuo.errors import InputError
from continuo.testing.processes import python, running
from continuo.workers.joining import joined, joining
from tests.support.commands import continuo

MINE = """
from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
def count(text: str) -> int:
    return len(text)


@workflow.defn
class Counting:
    @workflow.run
    async def run(self, text: str) -> int:
        return await workflow.execute_activity(count, text, start_to_close_timeout=timedelta(seconds=9))


WORKFLOWS = [Counting]
ACTIVITIES = [count]
"""


@workflow.defn(name="Saga")
class Other:
    @workflow.run
    async def run(self) -> None: ...


@activity.defn(name="call")
async def call() -> None: ...


@pytest.fixture
def project(environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "continuo.toml").touch()
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


async def test_they_run_in_a_pool_of_the_project_that_has_them(client: Client, project: Path) -> None:
    (project / "counting.py").write_text(MINE, encoding="utf-8")
    pool = python(
        *("continuo", "workers", "--priority", "batch", "--with", "counting"),
        ready="pool ready",
        log=project / "pool.log",
    )
    async with running(pool):
        run = client.execute_workflow("Counting", "four", id=f"own-{uuid4()}", task_queue="batch", result_type=int)
        assert await run == 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1 / 0", "module '{}' cannot be imported: ZeroDivisionError: division by zero; correct it, or its name"),
        ("x = 1", "module '{}' has neither WORKFLOWS nor ACTIVITIES; list in them what is to join"),
        ("WORKFLOWS = [dict]", "{}.WORKFLOWS: <class 'dict'> is not marked; put @workflow.defn above it"),
        ("ACTIVITIES = 3", "{}.ACTIVITIES is no list; write ACTIVITIES = [...]"),
    ],
)
def test_what_cannot_join_is_told(project: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    name = f"own_{uuid4().hex}"
    (project / f"{name}.py").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        joining([name])
    assert str(raised.value) == says.format(name)


@pytest.mark.parametrize("command", ["workers", "dev"])
async def test_a_module_that_is_missing_is_one_line_before_anything_runs(project: Path, command: str) -> None:
    found = await continuo(command, "--with", "missing")
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert found.err.startswith("error: module 'missing' cannot be imported: ModuleNotFoundError: No module named")


def test_a_name_of_ours_is_taken() -> None:
    for what, one in (("WORKFLOWS", Other), ("ACTIVITIES", call)):
        assert joined(what, [], [one]) == [one]
        with pytest.raises(InputError, match=f"{what}: '.*' is there already; give yours another name"):
            joined(what, [one], [one])


def test_nothing_joins_unless_it_is_named() -> None:
    assert joining(()) == ((), ())
