import pytest
from temporalio.client import Client

from continuo.patterns import Call, Deadline, Retry, Template
from continuo.testing.processes import Control, failure, job, outcome, until

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)


async def test_an_answer_in_time_is_the_answer(client: Client, simulator: Control) -> None:
    found = await outcome(client, job(Deadline(Call(model="mid"), limit=30, otherwise=Template(text="late"))))
    assert (found.model, found.fallback) == ("sim-mid", False)


async def test_at_the_limit_the_work_is_cancelled_and_otherwise_answers(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    found = await outcome(client, job(Deadline(Call(model="mid"), limit=0.5, otherwise=Template(text="late"))))
    assert (found.text, found.served_by, found.fallback) == ("late", "template", True)
    assert found.reasons == ("no answer within 0.5 s",)
    assert [(call.path, call.status) for call in found.calls] == [("step", "cancelled")]

    async def aborted() -> bool:
        return [call["disconnected"] for call in await simulator.calls()] == [True]

    await until(aborted, timeout=10)


async def test_without_otherwise_it_fails(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    found = await failure(client, job(Deadline(Call(model="mid"), limit=0.5)))
    assert (found.type, [call.status for call in found.calls]) == ("DeadlineExceeded", ["cancelled"])


async def test_a_failure_before_the_limit_is_a_failure(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", status=400)
    step = Deadline(Call(model="mid", retry=ONCE), limit=30, otherwise=Template(text="late"))
    assert (await failure(client, job(step))).type == "invalid_request"


async def test_a_limit_inside_a_limit_strikes_first_and_alone(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    inner = Deadline(Call(model="mid"), limit=0.3, otherwise=Call(model="mini"), isolate=True)
    found = await outcome(client, job(Deadline(inner, limit=30, otherwise=Template(text="late"))))
    assert found.model == "sim-mini"
    assert [call.path for call in found.calls] == ["step.step", "step.otherwise"]
