"""How a task is judged, split and put together again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.orchestrate import (
    PLAN,
    VERDICT,
    Plan,
    Subtask,
    assessed,
    is_split,
    plan_in,
    rejected_in,
    results_of,
    subtask_prompt,
    with_dependents,
)
from continuo.simulator.example import example


def written(*subtasks: dict[str, Any]) -> str:
    return json.dumps({"subtasks": subtasks})


def subtask(id: str, *depends_on: str, task: int = 1) -> dict[str, Any]:
    return {"id": id, "instruction": f"do {id}", "depends_on": list(depends_on), "task": task}


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Each subtask rests on some of those before it, and they stand in any order."""
    names = [f"part {number}" for number in range(draw(st.integers(1, 8)))]
    parts = [
        Subtask(id=name, instruction=name, depends_on=draw(st.lists(st.sampled_from(names[:number]), unique=True)))
        if number
        else Subtask(id=name, instruction=name)
        for number, name in enumerate(names)
    ]
    return Plan(subtasks=draw(st.permutations(parts)))


@pytest.mark.parametrize(
    ("task", "level"),
    [
        ("Translate this.", "simple"),
        ("Explain it.", "moderate"),
        ("Explain why the api fails? Now.", "complex"),
        (f"Explain why the api fails. {'word ' * 60}", "expert"),
    ],
)
def test_a_task_is_as_hard_as_its_score_says(task: str, level: str) -> None:
    found = assessed(task)
    assert found.level == level
    assert f"{found.score:g} of 1" in found.reasoning


def test_only_what_is_worth_a_plan_is_split() -> None:
    assert [level for level in ("simple", "moderate", "complex", "expert") if is_split(level, 1, prefer_free=True)] == [
        "complex",
        "expert",
    ]
    assert is_split("moderate", 1, prefer_free=False)
    assert not is_split("simple", 1, prefer_free=False)
    assert is_split("simple", 2, prefer_free=True)


@given(plans())
def test_a_plan_that_can_be_done_is_read_as_it_was_written(plan: Plan) -> None:
    assert plan_in(f"```json\n{plan.model_dump_json()}\n```", 8, 1) == plan


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("I cannot plan", "it is no JSON object"),
        ("{}", "subtasks: Field required"),
        (written(), "subtasks: Tuple should have at least 1 item"),
        (written({"id": "", "instruction": "x"}), "subtasks.0.id: String should have at least 1 character"),
        (written(*(subtask(str(number)) for number in range(4))), "it has 4 subtasks, more than 3"),
        (written(subtask("a"), subtask("a")), "two subtasks have the same id"),
        (written(subtask("a", "b")), "'a' depends on 'b', which is no subtask"),
        (written(subtask("a", "a")), "circle: a -> a"),
        (written(subtask("a", "c"), subtask("b", "a"), subtask("c", "b")), "subtasks depend on each other in a circle"),
        (written(subtask("a", task=2)), "'a' belongs to task 2, and there are 1"),
    ],
)
def test_a_plan_that_cannot_be_used_says_why(answer: str, why: str) -> None:
    found = plan_in(answer, 3, 1)
    assert isinstance(found, str)
    assert why in found


def test_each_of_several_tasks_has_a_subtask() -> None:
    assert plan_in(written(subtask("a")), 3, 2) == "task 2 has no subtask"


@pytest.mark.parametrize("schema", [PLAN, VERDICT], ids=["plan", "verdict"])
def test_what_fits_the_schema_is_understood(schema: dict[str, Any]) -> None:
    answer = json.dumps(example(schema))
    if schema is PLAN:
        assert isinstance(plan_in(answer, 1, 1), Plan)
    else:
        assert rejected_in(answer, {"a"}) == {}


def test_a_verdict_counts_for_the_answers_that_it_was_asked_about() -> None:
    answer = json.dumps({"rejected": [{"id": "a", "reason": "too short"}, {"id": "b"}, {"id": "z", "reason": "?"}]})
    assert rejected_in(answer, {"a", "b", "c"}) == {"a": "too short", "b": "no reason given"}
    assert rejected_in("all good!", {"a"}) is None


@given(plans(), st.data())
def test_what_rests_on_a_rejected_answer_is_done_again_and_nothing_else(plan: Plan, data: st.DataObject) -> None:
    rejected = data.draw(st.sets(st.sampled_from([one.id for one in plan.subtasks])))
    again = with_dependents(plan, rejected)
    for one in plan.subtasks:
        assert (one.id in again) == (one.id in rejected or any(id in again for id in one.depends_on))


@given(plans())
def test_the_answer_is_made_of_what_no_other_subtask_rests_on(plan: Plan) -> None:
    results = results_of(plan, {one.id: one.id for one in plan.subtasks}, 1)
    assert results
    assert not any(id in one.depends_on for id in results for one in plan.subtasks)


def test_an_executor_is_given_what_its_subtask_rests_on_and_why_it_is_asked_again() -> None:
    prompt = subtask_prompt(Subtask(id="sum", instruction="Sum up.", depends_on=("a",)), {"a": "first"}, "too long")
    assert prompt.startswith("Sum up.")
    assert "## a\nfirst" in prompt
    assert prompt.endswith("rejected: too long")
