"""Histories of earlier versions must replay: a run that is under way survives a deployment."""

from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from continuo.testing.processes import replayer
from continuo.workers.registered import WORKFLOWS
from tests.support.repository import ROOT


def read(path: Path) -> WorkflowHistory:
    history = WorkflowHistory.from_json("", path.read_text(encoding="utf-8"))
    # Children are named after their parent.
    started = history.events[0].workflow_execution_started_event_attributes
    return WorkflowHistory(started.workflow_id, history.events)


@pytest.fixture(scope="module")
def recorded() -> dict[str, dict[str, WorkflowHistory]]:
    """By the type of the workflow and the name of the file."""
    histories: defaultdict[str, dict[str, WorkflowHistory]] = defaultdict(dict)
    for path in (ROOT / "tests" / "histories").glob("*.json"):
        history = read(path)
        started = history.events[0].workflow_execution_started_event_attributes
        histories[started.workflow_type.name][path.stem] = history
    return histories


@pytest.mark.parametrize("sandbox", [False, pytest.param(True, marks=pytest.mark.chaos)])
@pytest.mark.parametrize("kind", [kind.__name__.removesuffix("Workflow") for kind in WORKFLOWS])
async def test_every_workflow_type_has_recorded_histories_and_they_replay(
    kind: str, sandbox: bool, recorded: dict[str, dict[str, WorkflowHistory]]
) -> None:
    histories = recorded[kind]

    async def each() -> AsyncIterator[WorkflowHistory]:
        for history in histories.values():
            yield history

    assert histories
    # One after the other by one replayer, since each loads the workflow's modules once before it begins.
    one = replayer(next(iter(histories.values())), pydantic_data_converter, sandbox=sandbox)
    failures = (await one.replay_workflows(each(), raise_on_replay_failure=False)).replay_failures
    assert {name: failures[one.run_id] for name, one in histories.items() if one.run_id in failures} == {}
