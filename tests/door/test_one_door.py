"""Nothing starts a pattern but the door, and what a pattern starts in turn: read from the source."""

import ast
from collections import Counter
from pathlib import Path

from tests.support.repository import ROOT

STARTS = {
    "start_workflow", "execute_workflow", "signal_with_start_workflow", "WithStartWorkflowOperation",
    "ScheduleActionStartWorkflow", "start_child_workflow", "execute_child_workflow", "start_activity_workflow",
    "start_activity",
}  # fmt: skip

THE_DOOR = {
    "door/runs.py": {"start_workflow"},
    "door/plain.py": {"start_activity"},
    "door/batches.py": {"start_workflow"},
    "door/schedules.py": {"ScheduleActionStartWorkflow"},
}
OF_A_NAME = {
    "door/silent_ends.py": {"start_workflow"},
    "activities/breakers.py": {"start_workflow", "WithStartWorkflowOperation"},
    "activities/plain_calls.py": {"start_workflow"},
    "door/breakers.py": {"start_workflow"},
    "starters/commands/alerts.py": {"execute_workflow"},
    "starters/commands/prune.py": {"execute_workflow"},
    "workers/schedule.py": {"ScheduleActionStartWorkflow"},
    "workflows/webhook.py": {"start_child_workflow"},
}
"""None of these is a pattern: each is one workflow of one name."""
OF_A_PATTERN = {
    "workflows/step.py": {"start_child_workflow"},
    "workflows/split.py": {"start_child_workflow"},
    "workflows/dead_letter.py": {"start_child_workflow"},
    "workflows/batch.py": {"start_child_workflow"},
    "workflows/scheduled_batch.py": {"execute_child_workflow"},
}
"""A branch of its own, a shadow, what the door had accepted and failed or accepts at a time of a schedule, and an item
of a batch that it has accepted."""


def paths() -> list[Path]:
    return [path for path in (ROOT / "continuo").rglob("*.py") if "testing" not in path.parts]


def starts(path: Path) -> set[str]:
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    # An interceptor hands on what was started elsewhere.
    names = [call.func.attr for call in calls if isinstance(call.func, ast.Attribute) and not is_super(call.func.value)]
    names += [call.func.id for call in calls if isinstance(call.func, ast.Name)]
    return STARTS & {*names}


def is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def test_only_the_door_starts_a_pattern() -> None:
    found = {str(path.relative_to(ROOT / "continuo")): starts(path) for path in paths()}
    assert {path: names for path, names in found.items() if names} == {**THE_DOOR, **OF_A_NAME, **OF_A_PATTERN}


def test_only_submit_and_running_start_what_the_stages_have_passed() -> None:
    importing = Counter(
        (path.name, alias.name)
        for path in paths()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in ("continuo.door.runs", "continuo.door.plain")
        for alias in node.names
        if alias.name in ("start", "start_plain")
    )
    assert importing == {("submit.py", "start"): 1, ("running.py", "start_plain"): 1}


def test_only_the_door_keeps_the_items_of_a_batch_which_its_workflow_runs() -> None:
    keeping = [
        str(path.relative_to(ROOT / "continuo"))
        for path in paths()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._store.add"
    ]
    assert {*keeping} == {"door/batches.py"}
