import json
from typing import Any

import pytest
from temporalio.client import Client

from continuo.patterns import Call, Orchestrate, Retry, Template
from continuo.testing.processes import Control, begin, failure, job, outcome, until, until_cancelled

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)
HARD = "Explain why the api fails and compare two ways to mend it? Thanks."
PLANNER, FREE, PAID, VALIDATOR, MERGE = "pro", "local", "premium", "mid", "mini"


def call(model: str) -> Call:
    return Call(model=model, retry=ONCE)


def planned(**fields: Any) -> Orchestrate:
    return Orchestrate(planner=call(PLANNER), executors=(call(FREE), call(PAID)), **fields)


def subtask(id: str, *depends_on: str, task: int = 1) -> dict[str, Any]:
    return {"id": id, "instruction": f"do {id}", "depends_on": list(depends_on), "task": task}


async def plans(simulator: Control, *subtasks: dict[str, Any]) -> None:
    await simulator.behave("sim-pro", text=json.dumps({"subtasks": subtasks}))


async def prompts(simulator: Control, model: str) -> list[str]:
    return [call["body"]["messages"][-1]["content"] for call in await simulator.calls(model)]


async def test_a_simple_task_is_one_call_of_the_first_executor(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-free", text="done")
    found = await outcome(client, job(planned(), "Translate this."))
    assert (found.text, found.model, [call.path for call in found.calls]) == (
        "done",
        "sim-free",
        ["subtask1.executor1"],
    )
    assert found.orchestration
    assert (found.orchestration.level, found.orchestration.subtasks) == ("simple", 1)


async def test_subtasks_are_done_by_their_dependencies_and_what_it_saved_is_told(
    client: Client, simulator: Control
) -> None:
    await plans(simulator, subtask("sum", "a", "b"), subtask("a"), subtask("b"))
    await simulator.behave("sim-free", text="good", tokens={"input": 100, "output": 500})
    found = await outcome(client, job(planned(), HARD))
    assert found.text == "good"
    assert set(found.outputs) == {"a", "b", "sum"}
    assert [call.path for call in found.calls][::3] == ["planner", "subtask1.executor1"]
    last = (await prompts(simulator, "sim-free"))[-1]
    assert last == "do sum\n\nThis is known already:\n\n## a\ngood\n\n## b\ngood"
    told = found.orchestration
    assert told
    assert told.executing.usage.output_tokens == 1500
    assert told.executing.cost_usd == 0
    assert found.cost_usd == told.orchestrating.cost_usd
    assert told.estimated_usd
    assert told.all_paid_usd
    assert found.cost_usd
    assert told.saved_usd == pytest.approx(told.all_paid_usd - found.cost_usd)
    assert told.all_paid_usd > 2 * found.cost_usd


async def test_a_plan_that_cannot_be_used_is_sent_back_once_with_what_is_wrong(
    client: Client, simulator: Control
) -> None:
    await plans(simulator, subtask("a", "b"))
    await simulator.behave("sim-free", text="whole")
    found = await outcome(client, job(planned(), HARD))
    assert found.text == "whole"
    assert [call.path for call in found.calls] == ["planner", "planner.repair", "subtask1.executor1"]
    assert "which is no subtask" in json.dumps((await simulator.calls("sim-pro"))[1]["body"])
    assert found.reasons == ("planner: the plan cannot be used: 'a' depends on 'b', which is no subtask",) * 2
    assert (await prompts(simulator, "sim-free")) == [HARD]


async def test_a_planner_that_fails_leaves_the_task_to_the_executors(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-pro", status=400)
    found = await outcome(client, job(planned(), HARD))
    assert found.model == "sim-free"
    assert found.reasons[0].startswith("planner: invalid_request")


async def test_a_rejected_answer_and_what_rests_on_it_go_to_the_next_executor(
    client: Client, simulator: Control
) -> None:
    await plans(simulator, subtask("a"), subtask("b"), subtask("sum", "a"))
    await simulator.behave("sim-mid", text=json.dumps({"rejected": [{"id": "a", "reason": "too short"}]}))
    await simulator.behave("sim-premium", text="better")
    found = await outcome(client, job(planned(validator=call(VALIDATOR)), HARD))
    assert found.outputs["a"] == "better"
    assert sorted(call.path for call in found.calls) == [
        "planner",
        "subtask1.executor1",
        "subtask1.executor2",
        "subtask2.executor1",
        "subtask3.executor1",
        "subtask3.executor1",
        "validator1",
    ]
    assert "An earlier answer was rejected: too short" in json.dumps((await simulator.calls("sim-premium"))[0]["body"])
    assert found.reasons == ("a: rejected: too short",)


@pytest.mark.parametrize("script", [{"text": "looks fine to me"}, {"status": 400}], ids=["not-json", "fails"])
async def test_a_validator_that_says_nothing_leaves_the_answers_unchecked_and_that_is_told(
    client: Client, simulator: Control, script: dict[str, Any]
) -> None:
    await simulator.behave("sim-mid", **script)
    found = await outcome(client, job(planned(validator=call(VALIDATOR)), "Translate this."))
    assert found.model == "sim-free"
    [reason] = found.reasons
    assert reason.startswith("validator: the answers are not checked")


async def test_an_executor_that_fails_hands_on_and_when_all_do_the_failure_says_what_each_said(
    client: Client, simulator: Control
) -> None:
    await plans(simulator, subtask("a"), subtask("b"))
    await simulator.behave("sim-free", status=400, error_message="no")
    found = await outcome(client, job(planned(), HARD))
    assert {call.model for call in found.calls if call.status == "ok"} == {"sim-pro", "sim-premium"}
    await simulator.behave("sim-premium", status=400, error_message="neither")
    lost = await failure(client, job(planned(), HARD))
    assert lost.type == "OrchestrationFailed"
    assert lost.causes == (
        "executor 1: invalid_request: sim-openai: 400 no",
        "executor 2: invalid_request: sim-anthropic: 400 neither",
    )


async def test_an_expert_task_is_for_the_last_executor_where_free_ones_are_not_preferred(
    client: Client, simulator: Control
) -> None:
    await plans(simulator, subtask("a"))
    found = await outcome(client, job(planned(prefer_free=False), f"{HARD} {'word ' * 60}"))
    assert [call.model for call in found.calls] == ["sim-pro", "sim-premium"]


async def test_the_answers_are_merged_by_a_step_that_sees_the_task(client: Client, simulator: Control) -> None:
    await plans(simulator, subtask("a"), subtask("b"))
    await simulator.behave("sim-mini", text="one answer")
    found = await outcome(client, job(planned(merge=call(MERGE)), HARD))
    assert (found.text, found.calls[-1].path) == ("one answer", "merge")


async def test_several_tasks_are_planned_in_one_call(client: Client, simulator: Control) -> None:
    await plans(simulator, subtask("a"), subtask("b", task=2))
    await simulator.behave("sim-free", text="done")
    found = await outcome(client, job(planned(), "Do these.", tasks=["Translate this.", "Sum this up."]))
    assert found.outputs == {"1": "done", "2": "done"}
    assert found.text == "## Task 1\ndone\n\n## Task 2\ndone"
    assert len(await simulator.calls("sim-pro")) == 1


async def test_cancelling_ends_every_subtask(client: Client, simulator: Control) -> None:
    await plans(simulator, subtask("a"), subtask("b"))
    await simulator.behave("sim-free", latency=60)
    handle = await begin(client, job(planned(), HARD))

    async def both() -> bool:
        return len(await simulator.calls("sim-free")) == 2

    await until(both)
    await until_cancelled(handle)
    await until(lambda: _all_left(simulator))


async def _all_left(simulator: Control) -> bool:
    return all(call["disconnected"] for call in await simulator.calls("sim-free"))


async def test_what_no_price_is_known_for_saves_nothing_that_is_told(client: Client, simulator: Control) -> None:
    step = Orchestrate(planner=Template(text="no plan"), executors=(call(FREE),))
    found = await outcome(client, job(step, HARD))
    assert found.orchestration
    assert (found.orchestration.all_paid_usd, found.orchestration.saved_usd) == (None, None)
