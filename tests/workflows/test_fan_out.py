import json

import pytest
from temporalio.client import Client

from continuo.decisions.parts import PART
from continuo.door.runs import result
from continuo.jobs import Failure
from continuo.patterns import Call, FanOut, Retry, Step, Template
from continuo.patterns.choices import Concatenate, Merge
from continuo.temporal.failures import MAX_TEXT
from continuo.testing.processes import Control, begin, failure, job, outcome, replay, until, until_cancelled
from continuo.workflows.together import WINDOW

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)
THREE: dict[str, Step] = {name: Call(model=name, retry=ONCE) for name in ("premium", "mid", "mini")}
BAD = Call(model="mid", retry=ONCE)
INLINE = pytest.mark.parametrize("inline", [False, True], ids=["children", "inline"])


async def texts(simulator: Control) -> None:
    for model in ("premium", "mid", "mini"):
        await simulator.behave(f"sim-{model}", text=f"from {model}", tokens={"input": 100, "output": 100})


@INLINE
async def test_every_branch_answers_and_the_answers_are_collected_by_name(
    client: Client, simulator: Control, inline: bool
) -> None:
    await texts(simulator)
    found = await outcome(client, job(FanOut(branches=THREE, inline=inline)))
    answers = {name: f"from {name}" for name in THREE}
    assert json.loads(found.text) == answers == found.outputs
    assert sorted(call.path for call in found.calls) == sorted(THREE)
    assert found.cost_usd == pytest.approx(200 * (10 + 5 + 0.5) / 1e6)
    assert (found.partial, found.missing, found.simulated) == (False, (), True)


async def test_branches_are_child_workflows_named_after_their_patterns(client: Client, simulator: Control) -> None:
    handle = await begin(client, job(FanOut(branches={**THREE, "fixed": Template(text="x")})))
    await handle.result()

    async def listed() -> bool:
        query = f"WorkflowId STARTS_WITH '{handle.id}.'"
        found = {run.id.removeprefix(f"{handle.id}."): run.workflow_type async for run in client.list_workflows(query)}
        return found == {**dict.fromkeys(THREE, "Call"), "fixed": "Template"}

    await until(listed)


async def test_the_answers_are_concatenated(client: Client, simulator: Control) -> None:
    await texts(simulator)
    found = await outcome(client, job(FanOut(branches=THREE, merge=Concatenate(separator=" | "))))
    assert found.text == "from premium | from mid | from mini"


async def test_a_model_merges_the_answers(client: Client, simulator: Control) -> None:
    await texts(simulator)
    merge = Merge(step=Call(model="sim-free"), prompt="{input} {mid}\n{answers}")
    found = await outcome(client, job(FanOut(branches=THREE, merge=merge), "Which?"))
    [call] = await simulator.calls("sim-free")
    assert call["body"]["messages"][-1]["content"] == (
        "Which? from mid\n## premium\nfrom premium\n\n## mid\nfrom mid\n\n## mini\nfrom mini"
    )
    assert found.model == "sim-free"
    assert found.calls[-1].path == "merge"
    assert set(found.outputs) == set(THREE)


@INLINE
async def test_with_enough_successes_the_outcome_is_partial_and_says_what_is_missing(
    client: Client, simulator: Control, inline: bool
) -> None:
    await simulator.behave("sim-mid", status=503, error_message="down")
    found = await outcome(client, job(FanOut(branches=THREE, min_successes=2, inline=inline)))
    assert (found.partial, found.missing) == (True, ("mid",))
    assert found.reasons == ("mid: server_error: sim-openai: 503 down",)
    assert set(found.outputs) == {"premium", "mini"}
    assert [call.status for call in sorted(found.calls, key=lambda call: call.path)] == ["failed", "ok", "ok"]


@INLINE
async def test_too_many_failures_end_it_at_once_and_cancel_the_rest(
    client: Client, simulator: Control, inline: bool
) -> None:
    await simulator.behave("sim-mid", status=400, error_message="nonsense")
    await simulator.behave("sim-premium", latency=60)
    found = await failure(client, job(FanOut(branches=THREE, inline=inline)))
    assert found.type == "FanOutFailed"
    assert found.causes == ("mid: invalid_request: sim-openai: 400 nonsense",)
    assert {call.path: call.status for call in found.calls}["premium"] == "cancelled"

    async def aborted() -> bool:
        return [call["disconnected"] for call in await simulator.calls("sim-premium")] == [True]

    await until(aborted, timeout=10)


@INLINE
async def test_a_branch_that_takes_too_long_is_cancelled_alone(
    client: Client, simulator: Control, inline: bool
) -> None:
    await simulator.behave("sim-premium", latency=60)
    step = FanOut(branches=THREE, min_successes=2, branch_timeout=3, inline=inline)
    found = await outcome(client, job(step))
    assert found.missing == ("premium",)
    assert found.reasons == ("premium: DeadlineExceeded: no answer within 3 s",)
    assert {call.path: call.status for call in found.calls} == {"premium": "cancelled", "mid": "ok", "mini": "ok"}


@INLINE
async def test_cancelling_the_run_ends_the_http_request_of_every_branch(
    client: Client, simulator: Control, inline: bool
) -> None:
    for model in ("sim-premium", "sim-mid", "sim-mini"):
        await simulator.behave(model, latency=60)
    handle = await begin(client, job(FanOut(branches=THREE, inline=inline)))

    async def asked() -> bool:
        return len(await simulator.calls()) == 3

    await until(asked)
    await until_cancelled(handle)

    async def aborted() -> bool:
        return [call["disconnected"] for call in await simulator.calls()] == [True] * 3

    await until(aborted, timeout=10)


async def test_what_a_cancelled_branch_had_spent_is_in_the_account(client: Client, simulator: Control) -> None:
    await texts(simulator)
    await simulator.behave("sim-premium", latency=60)
    slow = Call(model="mid") >> Call(model="premium")
    step = FanOut(branches={"slow": slow, "quick": Template(text="x")}, min_successes=1, branch_timeout=2)
    found = await outcome(client, job(step))
    assert [(call.path, call.status) for call in found.calls] == [("slow.step1", "ok"), ("slow.step2", "cancelled")]
    spent, left = found.calls
    assert spent.cost_usd == pytest.approx(200 * 5 / 1e6)
    assert left.cost_usd
    assert spent.cost_usd
    assert left.usage.estimated
    assert found.cost_usd == pytest.approx(spent.cost_usd + left.cost_usd)


async def test_a_branch_that_waits_for_others_has_all_its_time_when_it_begins(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mini", latency=60)
    hangs = {f"b{number}": Call(model="mini") for number in range(WINDOW)}
    last = {"last": Call(model="mid")}
    step = FanOut(branches={**hangs, **last}, inline=True, min_successes=1, branch_timeout=2)
    assert list((await outcome(client, job(step))).outputs) == ["last"]


@pytest.mark.chaos
async def test_very_many_branches_run_in_parts(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", status=400, error_message="nonsense")
    names = [f"b{number}" for number in range(PART + 50)]
    branches: dict[str, Step] = {**dict.fromkeys(names, Template(text="x")), "b3": BAD, "b1020": BAD}
    step = FanOut(branches=branches, inline=True, min_successes=len(branches) - 2, merge=Concatenate(separator=""))
    handle = await begin(client, job(step))
    found = await handle.result()
    assert (found.text, found.partial, found.missing) == ("x" * (len(branches) - 2), True, ("b3", "b1020"))
    assert [call.path for call in found.calls] == ["part1.b3", "part2.b1020"]
    assert found.reasons == tuple(f"{name}: invalid_request: sim-openai: 400 nonsense" for name in found.missing)
    assert list(found.outputs) == [name for name in branches if name not in found.missing]
    await replay(client, handle.id)


@pytest.mark.chaos
async def test_too_many_failures_in_a_late_part_are_told_with_those_of_the_parts_before(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mid", status=400, error_message="nonsense")
    branches = {f"b{number}": Template(text="x") for number in range(PART + 20)} | {"b3": BAD, "b1010": BAD}
    handle = await begin(client, job(FanOut(branches=branches, inline=True, min_successes=len(branches) - 1)))
    found = await result(handle)
    assert isinstance(found, Failure)
    assert found.message.startswith("part2 of 2: FanOutFailed: 1 of 20 branches failed, 0 may; ")
    assert [cause.split(":")[0] for cause in found.causes] == ["b3", "b1010"]
    assert len(found.outputs) == PART + 18
    await replay(client, handle.id)


async def test_answers_that_are_too_long_together_are_a_typed_failure(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="y" * (MAX_TEXT // 2))
    branches: dict[str, Step] = {name: Call(model="mini") for name in "ab"}
    for merge in (Concatenate(), Merge(step=Call(model="sim-free"))):
        found = await failure(client, job(FanOut(branches=branches, merge=merge)))
        assert found.type == "TooLarge"
        assert "more than 16,777,216" in found.message
        assert len(found.calls) == 2


async def test_long_prompts_are_kept_beside_the_history_not_in_it(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="y" * 50_000)
    branches: dict[str, Step] = {f"b{number}": Call(model="mini") for number in range(30)}
    handle = await begin(client, job(FanOut(branches=branches), "x" * 300_000))
    found = await handle.result()
    assert [len(text) for text in found.outputs.values()] == [50_000] * 30
    history = await handle.fetch_history()
    # The prompt came in once; it went to 30 branches, and 30 answers of 50 KB came back.
    assert sum(event.ByteSize() for event in history.events) < 500_000
