import re

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings
from continuo.messages import Usage
from continuo.patterns import Call, Fallback, Retry, Route, Split, Variant
from continuo.patterns.choices import Length
from continuo.stores.opened import open_store
from continuo.testing.processes import Control, begin, failure, job, outcome, until
from tests.support.stores import ledger

pytestmark = pytest.mark.usefixtures("worker")
QUICK = Retry(initial=0.05)


async def test_an_answer_comes_with_its_full_account(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", tokens={"input": 1000, "output": 500, "cached": 200})
    found = await outcome(client, job(Call(model="premium", system="Be brief.")))
    assert found.text.startswith("[simulated sim-premium]")
    assert (found.served_by, found.model, found.provider) == ("model", "sim-premium", "sim-anthropic")
    assert found.simulated
    assert found.finish_reason == "stop"
    assert found.usage == Usage(input_tokens=1000, output_tokens=500, cached_tokens=200)
    assert found.cost_usd == pytest.approx(0.015)
    [call] = found.calls
    assert (call.attempts, call.status, call.cost_usd) == (1, "ok", found.cost_usd)
    assert found.workflow_id
    assert found.run_id
    assert found.latency_ms
    [asked] = await simulator.calls()
    assert asked["body"]["system"] == "Be brief."
    assert asked["idempotency_key"].startswith(f"{found.run_id}/")


async def test_a_retired_model_is_served_by_its_replacement_and_the_outcome_says_why(
    client: Client, simulator: Control
) -> None:
    call = Call(model="sim-retired")
    found = await outcome(client, job(Fallback(steps=(call,))))
    assert (found.model, found.fallback, found.reasons) == (
        "sim-mini",
        False,
        ("sim-retired has retired, on 2020-01-02",),
    )
    begun_before = await outcome(client, job(call).model_copy(update={"step": call}))
    assert (begun_before.model, begun_before.reasons) == (found.model, found.reasons)
    assert [asked["model"] for asked in await simulator.calls()] == ["sim-mini"] * 2


async def test_a_paid_call_is_one_row_of_the_ledger(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", tokens={"input": 10, "output": 10})
    found = await outcome(client, job(Call(model="mini")))
    database = open_store(Settings(), {})
    rows = [row for row in await ledger(database) if row["identity"].startswith(str(found.run_id))]
    await database.aclose()
    assert [(row["tenant"], row["model"], row["cost_nanousd"], row["simulated"]) for row in rows] == [
        ("acme", "sim-mini", 10_000, 1)
    ]


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 529])
async def test_a_transient_error_is_tried_again(client: Client, simulator: Control, status: int) -> None:
    await simulator.behave("sim-mid", outage=1, status=status)
    found = await outcome(client, job(Call(model="mid", retry=QUICK)))
    assert [call["status"] for call in await simulator.calls()] == [status, 200]
    assert found.calls[0].attempts == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_a_wrong_request_is_not_tried_again(client: Client, simulator: Control, status: int) -> None:
    await simulator.behave("sim-mid", status=status)
    found = await failure(client, job(Call(model="mid", retry=QUICK)))
    assert len(await simulator.calls()) == 1
    assert f"sim-openai: {status}" in found.message
    assert [call.status for call in found.calls] == ["failed"]


async def test_after_three_attempts_the_failure_names_its_cause(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", status=503, error_message="on fire")
    found = await failure(client, job(Call(model="mid", retry=QUICK)))
    assert len(await simulator.calls()) == 3
    assert (found.type, found.message) == ("server_error", "sim-openai: 503 on fire")
    assert found.calls[0].attempts == 3


@pytest.mark.parametrize(("header", "value"), [("retry_after", 2), ("retry_after_ms", 2000)])
async def test_the_provider_decides_when_it_is_asked_again(
    client: Client, simulator: Control, header: str, value: float
) -> None:
    """The policy would wait 1 s, at most 1.2 with its jitter."""
    await simulator.behave("sim-mid", outage=1, status=429, **{header: value})
    await outcome(client, job(Call(model="mid")))
    first, second = await simulator.calls()
    assert 2.0 <= second["time"] - first["time"] < 4.0


async def test_a_refusal_is_final_and_what_it_cost_is_in_the_ledger(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", fault="refusal", tokens={"input": 10, "output": 0})
    found = await failure(client, job(Call(model="premium", retry=QUICK)))
    assert found.type == "refused"
    assert len(await simulator.calls()) == 1
    assert found.calls[0].cost_usd == pytest.approx(0.0001)


@pytest.mark.parametrize("fault", ["not_json", "empty", "cut", "reset"])
@pytest.mark.parametrize("model", ["sim-premium", "sim-mid", "sim-mini"])
async def test_a_broken_answer_is_tried_again(client: Client, simulator: Control, model: str, fault: str) -> None:
    await simulator.behave(model, fault=fault)
    found = await failure(client, job(Call(model=model, retry=Retry(attempts=2, initial=0.05))))
    assert found.type in ("invalid_response", "connection")
    assert len(await simulator.calls()) == 2


async def test_a_model_that_is_too_slow_is_given_up_as_a_timeout(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=20)
    found = await failure(client, job(Call(model="mid", timeout=0.2, retry=Retry(attempts=1))))
    assert found.type == "timeout"


async def test_usage_that_the_provider_does_not_give_is_estimated_and_marked(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mid", fault="no_usage", text="x" * 40)
    found = await outcome(client, job(Call(model="mid"), "y" * 20))
    assert found.usage == Usage(input_tokens=5, output_tokens=10, estimated=True)


async def test_cancelling_a_run_aborts_its_http_request(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    handle = await begin(client, job(Call(model="mid")))
    await until(simulator.calls)
    await handle.cancel()

    async def aborted() -> bool:
        return [call["disconnected"] for call in await simulator.calls()] == [True]

    await until(aborted, timeout=10)


async def test_at_the_deadline_the_work_is_cancelled(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    limited = job(Call(model="mid"))
    limited = limited.model_copy(update={"context": limited.context.model_copy(update={"deadline": 0.5})})
    found = await failure(client, limited)
    assert found.type == "DeadlineExceeded"

    async def aborted() -> bool:
        return [call["disconnected"] for call in await simulator.calls()] == [True]

    await until(aborted, timeout=10)


async def test_the_knowledge_folder_answers_at_no_cost(client: Client) -> None:
    found = await outcome(client, job(Call(model="knowledge"), "How do I return a lamp and get a refund?"))
    assert (found.served_by, found.cost_usd) == ("knowledge", 0)
    assert found.confidence
    assert re.search(r"Source: \w+\.md", found.text)


async def test_a_run_can_be_found_by_its_search_attributes(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", tokens={"input": 1, "output": 1})
    route = Route(by=Length(), branches={"local": Call(model="mid")}, default="local")
    found = await outcome(client, job(Split(variants={"new": Variant(step=route)})))
    started = f"WorkflowId = '{found.workflow_id}' AND ContinuoTenant = 'acme'"
    query = f"{started} AND ContinuoBranch = 'local' AND ContinuoVariant = 'new' AND ContinuoCostUsd < 0.001"

    async def listed() -> bool:
        return [run.id async for run in client.list_workflows(query)] == [found.workflow_id]

    await until(listed)


@pytest.mark.parametrize(
    ("model", "logprobs", "told"), [("sim-premium", False, True), ("sim-mini", False, True), ("sim-mid", True, False)]
)
async def test_a_rated_call_tells_how_sure_the_model_is_and_the_answer_does_not_show_it(
    client: Client, simulator: Control, model: str, logprobs: bool, told: bool
) -> None:
    """By the probabilities of its tokens where its provider gives them, else by a line that it is told to write."""
    await simulator.behave(model, text="Yes.", confidence=0.8)
    found = await outcome(client, job(Call(model=model, system="Be brief.")).rated())
    assert (found.text, found.confidence) == ("Yes.", 0.8)
    assert found.message
    assert found.message.content == "Yes."
    [call] = await simulator.calls()
    said = str(call["body"])
    assert "Be brief." in said
    assert ("CONFIDENCE" in said, "ogprobs" in said) == (told, logprobs)


async def test_json_that_was_asked_for_is_not_spoilt_by_a_line(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", text='{"confidence": 0.7}')
    asked = job(Call(model="premium")).rated()
    request = asked.request.model_copy(update={"response_schema": {"type": "object"}})
    found = await outcome(client, asked.model_copy(update={"request": request}))
    assert (found.text, found.confidence) == ('{"confidence": 0.7}', 0.7)
    [call] = await simulator.calls()
    assert "CONFIDENCE" not in str(call["body"])


async def test_a_call_that_is_not_rated_is_left_as_it_is(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", text="Yes.", confidence=0.8)
    found = await outcome(client, job(Call(model="mid")))
    assert (found.text, found.confidence) == ("Yes.\nCONFIDENCE: 0.8", None)
    [call] = await simulator.calls()
    assert "logprobs" not in call["body"]
