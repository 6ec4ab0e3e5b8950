import asyncio
import json
from typing import Any

import pytest
from temporalio.client import Client

from continuo.jobs import Job
from continuo.patterns import Call, Orchestrate, Retry, Template
from continuo.patterns.choices import Merge
from continuo.testing.processes import Control, begin, failure, job, outcome, replay, until, until_cancelled

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)
PREMIUM, MID, MINI, FREE = (Call(model=f"sim-{name}", retry=ONCE) for name in ("premium", "mid", "mini", "free"))
STEP = Orchestrate(planner=PREMIUM, executors=(FREE, MID))
HARD = "Explain and compare both, and why the one is better? Say which algorithm each has."


def plan(*subtasks: tuple[str, list[str]]) -> str:
    return json.dumps({"subtasks": [{"id": id, "instruction": f"do {id}", "depends_on": on} for id, on in subtasks]})


async def asked(simulator: Control, model: str) -> list[str]:
    """What the model was asked as the user's last turn."""
    return [str(call["body"]["messages"][-1]["content"]) for call in await simulator.calls(model)]


def orchestration(found: Any) -> Any:
    assert found.orchestration is not None
    return found.orchestration


async def test_the_parts_of_a_plan_are_done_by_the_free_executor_in_the_order_of_their_needs(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-premium", text=plan(("a", []), ("b", []), ("both", ["a", "b"])))
    await simulator.behave("sim-free", text="done")
    found = await outcome(client, job(STEP, HARD))
    assert found.text == "done"
    assert found.outputs == {"a": "done", "b": "done", "both": "done"}
    assert [call.path for call in found.calls][::3] == ["plan", "subtask3.executor1"]
    *_, last = await asked(simulator, "sim-free")
    assert "## a\ndone\n\n## b\ndone" in last
    assert last.endswith("Do this part alone:\ndo both")
    assert orchestration(found).subtasks == 3


async def test_the_users_text_is_never_among_the_instructions(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", text=plan(("a", [])))
    await outcome(client, job(Orchestrate(planner=MID, executors=(FREE,), validator=MINI), HARD))
    [call] = await simulator.calls("sim-mid")
    system, user = call["body"]["messages"]
    assert (system["role"], user) == ("system", {"role": "user", "content": HARD})
    assert HARD not in system["content"]
    for call in await simulator.calls("sim-mini"):
        assert HARD not in json.dumps(call["body"]["systemInstruction"])


async def test_the_saving_is_against_the_premium_model(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", text=plan(("a", []), ("b", [])), tokens={"input": 100, "output": 100})
    await simulator.behave("sim-free", text="done", tokens={"input": 450, "output": 450})
    told = orchestration(await outcome(client, job(STEP, HARD)))
    assert (told.orchestrator.usage.input_tokens, told.executors.usage.output_tokens) == (100, 900)
    assert (told.orchestrator.cost_usd, told.executors.cost_usd) == (pytest.approx(0.002), 0)
    assert told.against == "sim-premium"
    assert told.saved_usd == pytest.approx(0.9 * 2_000 * 10 / 1e6)


async def test_a_simple_task_is_one_call_of_the_free_executor(client: Client, simulator: Control) -> None:
    found = await outcome(client, job(STEP, "Say hello"))
    assert [(call.path, call.model) for call in found.calls] == [("executor1", "sim-free")]
    told = orchestration(found)
    assert (told.level, told.subtasks, told.reasons, told.estimated_usd) == ("simple", 0, ("short and plain",), 0)


async def test_without_prefer_free_a_hard_task_goes_to_the_paid_executor(client: Client, simulator: Control) -> None:
    step = STEP.model_copy(update={"planner": None, "prefer_free": False})
    assert (await outcome(client, job(step, HARD))).model == "sim-mid"
    assert (await outcome(client, job(step, "Say hello"))).model == "sim-free"


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("no JSON", "the answer"),
        (plan(("a", []), ("a", [])), "two sub-tasks have the id 'a'"),
        (plan(("a", ["b"]), ("b", ["a"])), "'a', 'b' wait for each other"),
        (plan(("a", ["z"])), "'a' depends on 'z', which is no sub-task"),
        (plan(*((f"a{number}", []) for number in range(11))), "there are 11 sub-tasks, more than 10"),
    ],
)
async def test_a_plan_that_is_invalid_twice_makes_the_task_one_call(
    client: Client, simulator: Control, answer: str, wrong: str
) -> None:
    await simulator.behave("sim-mid", text=answer)
    found = await outcome(client, job(Orchestrate(planner=MID, executors=(FREE,)), HARD))
    assert [call.path for call in found.calls] == ["plan", "repair", "executor1"]
    assert all(wrong in reason for reason in found.reasons)
    assert wrong in (await asked(simulator, "sim-mid"))[-1]


async def test_a_planner_that_fails_makes_the_task_one_call(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=400, error_message="down")
    found = await outcome(client, job(STEP, HARD))
    assert [call.path for call in found.calls] == ["plan", "executor1"]
    assert "down" in found.reasons[0]


async def test_a_part_that_fails_goes_to_the_next_executor(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", text=plan(("a", [])))
    await simulator.behave("sim-free", status=400, error_message="down")
    found = await outcome(client, job(STEP, HARD))
    assert [call.path for call in found.calls] == ["plan", "subtask1.executor1", "subtask1.executor2"]
    assert "down" in found.reasons[0]


async def test_what_the_validator_refuses_the_next_executor_does(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", text='{"valid": false, "reason": "too short"}')
    step = Orchestrate(executors=(FREE, MID), validator=MINI)
    found = await failure(client, job(step, "Say hello"))
    assert found.type == "OrchestrateFailed"
    assert found.causes == ("executor1: not valid: too short", "executor2: not valid: too short")
    assert [call.path for call in found.calls] == ["executor1", "validate1", "executor2", "validate2"]
    await simulator.behave("sim-mini", text='{"valid": true, "reason": ""}')
    assert (await outcome(client, job(step, "Say hello"))).model == "sim-free"


async def test_a_merged_answer_that_is_refused_makes_the_task_one_call_of_the_next_executor(
    client: Client, simulator: Control
) -> None:
    # The validator of this test knows the merged answer alone, which no part is.
    await simulator.behave("sim-premium", text=plan(("a", []), ("b", [])))
    await simulator.behave("sim-free", text="done")
    await simulator.behave("sim-mini", status=400)
    step = STEP.model_copy(update={"validator": MINI})
    found = await outcome(client, job(step, HARD))
    assert found.text == "done\n\ndone"
    assert sum(reason.startswith("not checked") for reason in found.reasons) == 3
    refusing = step.model_copy(update={"validator": Template(text="invalid"), "merge": Merge(step=MID)})
    assert (await failure(client, job(refusing, HARD))).type == "OrchestrateFailed"


async def test_when_all_executors_fail_the_causes_and_the_results_are_told(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", text=plan(("a", []), ("b", ["a"])))
    await simulator.behave("sim-free", status=400, error_message="down")
    await simulator.behave("sim-mid", status=400, error_message="down too")
    found = await failure(client, job(STEP, HARD))
    assert found.type == "OrchestrateFailed"
    assert [cause.split(":")[:2] for cause in found.causes] == [["a", " executor1"], ["a", " executor2"]]


async def test_no_more_parts_run_at_once_than_allowed(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", text=plan(*((id, []) for id in "abcd")))
    await simulator.behave("sim-free", latency=60)
    handle = await begin(client, job(STEP.model_copy(update={"max_parallel": 3}), HARD))

    async def three() -> bool:
        return len(await simulator.calls("sim-free")) == 3

    await until(three)
    await handle.cancel()
    await until_cancelled(handle)
    calls = await simulator.calls("sim-free")
    assert [call["disconnected"] for call in calls] == [True] * 3


async def test_several_tasks_are_planned_in_one_call(client: Client, simulator: Control) -> None:
    base = job(STEP, "Translate into French")
    found = await outcome(client, Job(**{**dict(base), "data": {"tasks": ["a cat", "a dog"]}}))
    assert [call.path for call in found.calls].count("plan") == 1
    assert len(await simulator.calls("sim-premium")) == 1
    assert orchestration(found).subtasks == 4
    wrong = await failure(client, Job(**{**dict(base), "data": {"tasks": "a cat"}}))
    assert (wrong.type, wrong.message[:23]) == ("InvalidInput", "the data's field 'tasks")


async def test_a_run_replays(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", text=plan(("a", []), ("b", ["a"])))
    handle = await begin(client, job(STEP.model_copy(update={"validator": MINI}), HARD))
    await asyncio.wait_for(handle.result(), 60)
    await replay(client, handle.id)
