import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.catalog import Price
from continuo.decisions.difficulty import difficulty
from continuo.decisions.orchestrated import saved, shares
from continuo.decisions.plans import Plan, planned, schema, tasks_in, tasks_text, verdict
from continuo.jobs import CallRecord
from continuo.messages import Usage
from continuo.simulator.plan import fitting

LEVELS = ("simple", "moderate", "complex", "expert")
IDS = st.sampled_from("abcdef")
SUBTASKS = st.lists(
    st.fixed_dictionaries(
        {"id": IDS, "instruction": st.just("do"), "depends_on": st.lists(IDS, max_size=2), "task": st.integers(0, 3)}
    ),
    max_size=6,
)
PRICE = Price(input=10.0, output=10.0, source="test", date=date(2026, 11, 26))


@given(SUBTASKS, st.integers(1, 6), st.integers(1, 2))
def test_a_plan_can_be_done_whatever_the_planner_says(subtasks: list[object], most: int, tasks: int) -> None:
    plan = planned(json.dumps({"subtasks": subtasks}), most=most, tasks=tasks)
    if not isinstance(plan, Plan):
        assert plan
        assert "\n" not in plan
        return
    assert len(plan.subtasks) <= most
    assert {one.task for one in plan.subtasks} == set(range(1, tasks + 1))
    done: set[str] = set()
    for _ in plan.subtasks:
        done |= {one.id for one in plan.subtasks if done.issuperset(one.depends_on)}
    assert done == {one.id for one in plan.subtasks}
    assert plan.results


@given(st.text(max_size=200))
def test_any_text_is_a_plan_or_says_what_is_wrong(text: str) -> None:
    assert isinstance(planned(text, most=5, tasks=1), Plan | str)
    assert verdict(text) is None or isinstance(verdict(text), tuple)


@given(st.integers(1, 8))
def test_the_simulated_plan_holds(tasks: int) -> None:
    plan = planned(json.dumps(fitting(schema(tasks))), most=16, tasks=tasks)
    assert isinstance(plan, Plan)
    assert all("simulated" in one.instruction for one in plan.subtasks)


@given(st.text(max_size=400), st.integers(1, 5))
def test_more_tasks_and_more_words_are_never_easier(prompt: str, tasks: int) -> None:
    level, reasons = difficulty(prompt, tasks)
    assert reasons
    assert LEVELS.index(difficulty(prompt, tasks + 1)[0]) >= LEVELS.index(level)
    assert LEVELS.index(difficulty(f"{prompt}\n{'word ' * 301}", tasks)[0]) >= LEVELS.index(level)


@pytest.mark.parametrize(
    ("prompt", "level"),
    [
        ("Say hello", "simple"),
        ("Why is the sky blue", "moderate"),
        ("Why is it? Say which algorithm it has.", "complex"),
        ("Why is it? Say which algorithm it has." + " word" * 50, "expert"),
        ("Write of\n1. cats\n2. dogs\n3. cows", "moderate"),
    ],
)
def test_the_level_follows_from_the_signals(prompt: str, level: str) -> None:
    assert difficulty(prompt, 1)[0] == level


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"valid": true, "reason": "good"}', (True, "good")),
        ('```json\n{"valid": false}\n```', (False, "")),
        ("Invalid.", (False, "")),
        ("VALID", (True, "")),
        ('{"valid": "yes"}', None),
        ("valid or invalid", None),
        ("perhaps", None),
    ],
)
def test_a_verdict_is_read(text: str, said: tuple[bool, str] | None) -> None:
    assert verdict(text) == said


@pytest.mark.parametrize("tasks", [[], "a", [1], [" "], None])
def test_tasks_are_texts(tasks: object) -> None:
    with pytest.raises(ValueError, match="'tasks'"):
        tasks_in({"tasks": tasks}, "")  # type: ignore[dict-item]


def test_tasks_are_numbered_behind_the_prompt() -> None:
    tasks = tasks_in({"tasks": ["a", "b"]}, "Translate")
    assert tasks_text("Translate", tasks) == "Translate\n\n## Task 1\na\n\n## Task 2\nb"
    assert tasks_text("Translate", tasks_in({}, "Translate")) == "Translate"


def test_what_was_thrown_away_saved_nothing() -> None:
    def call(path: str, cost: float, tokens: int) -> CallRecord:
        usage = Usage(input_tokens=tokens)
        return CallRecord(path=path, model="m", status="ok", usage=usage, cost_usd=cost)

    calls = (call("x.plan", 0.002, 200), call("x.subtask1.executor1", 0, 900), call("x.subtask1.validate1", 0, 100))
    again = (*calls, call("x.subtask1.executor2.tier1", 0.009, 900))
    assert saved(calls, set(), PRICE) == pytest.approx(0.01)
    assert saved(again, {"x.subtask1.executor1"}, PRICE) == pytest.approx(0.012 - 0.011)
    assert saved(calls, set(), None) is None
    orchestrator, executors = shares("x", again)
    assert (orchestrator.usage.input_tokens, executors.usage.input_tokens) == (300, 1800)
    assert (orchestrator.cost_usd, executors.cost_usd) == (0.002, 0.009)
