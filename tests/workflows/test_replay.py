"""Histories of earlier versions must replay: a run that is under way survives a deployment."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from continuo.testing.processes import replayer
from continuo.workers.registered import WORKFLOWS
from tests.support.repository import ROOT

HISTORIES = sorted((ROOT / "tests" / "histories").glob("*.json"))


def read(path: Path) -> WorkflowHistory:
    history = WorkflowHistory.from_json("", path.read_text(encoding="utf-8"))
    # Children are named after their parent.
    started = history.events[0].workflow_execution_started_event_attributes
    return WorkflowHistory(started.workflow_id, history.events)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    history = read(path)
    await replayer(history, pydantic_data_converter).replay_workflow(history)


def test_every_workflow_type_has_a_recorded_history() -> None:
    started = {
        read(path).events[0].workflow_execution_started_event_attributes.workflow_type.name for path in HISTORIES
    }
    assert started == {kind.__name__.removesuffix("Workflow") for kind in WORKFLOWS}
