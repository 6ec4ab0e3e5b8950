"""A worker that lets a workflow go leaves its coroutines to be collected, outside every workflow."""

from collections.abc import Generator
from datetime import UTC, datetime

import pytest
from temporalio import workflow

from continuo.jobs import Job
from continuo.patterns import Template
from continuo.testing.processes import job
from continuo.workflows.run_account import RunAccount
from continuo.workflows.shield import end, to_the_end
from continuo.workflows.unexpected import unexpected_as_failures


class Forever:
    def __await__(self) -> Generator[None]:
        yield


async def waiting(account: RunAccount, step: Job, ended: list[str]) -> None:
    with account.step(step, None), unexpected_as_failures():
        try:
            await Forever()
        finally:
            await end([])
            await to_the_end(never(ended))
            ended.append("quietly")


async def never(ended: list[str]) -> None:
    ended.append("work was begun")


def test_a_step_that_is_collected_with_its_workflow_ends_without_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    account, ended = RunAccount(), list[str]()
    with monkeypatch.context() as inside:
        inside.setattr(workflow, "now", lambda: datetime.now(UTC))
        held = waiting(account, job(Template(text="x")), ended)
        held.send(None)
    held.close()
    assert ended == ["quietly"]
