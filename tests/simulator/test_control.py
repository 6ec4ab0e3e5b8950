"""The control side says what was asked and takes scripts."""

import asyncio
import math
import re
import time

import httpx
import pytest

from continuo.testing.processes import Control, until
from tests.simulator.conftest import EVERY_PROTOCOL, PROMPT, Asking, body, path


async def test_calls_are_told_in_order_with_what_came_in(client: Asking, simulator: Control) -> None:
    before = time.time()
    await simulator.behave("b", status=500)
    await client.http.post(path("openai"), json=body("openai", "a"), headers={"Idempotency-Key": "run/1"})
    await client.ask("anthropic", "b", stream=True)
    await client.ask("google", "a", stream=True)
    found = await simulator.get("/_sim/calls")
    assert found["by_model"] == {"a": 2, "b": 1}
    first, second, third = found["calls"]
    assert before <= first.pop("time") <= second["time"] <= third["time"] <= time.time()
    assert first == {
        "model": "a", "protocol": "openai", "stream": False, "status": 200, "answered": True, "disconnected": False,
        "inputs": 0, "idempotency_key": "run/1", "traceparent": None, "key": "", "body": body("openai", "a"),
    }  # fmt: skip
    assert (second["protocol"], second["stream"], second["status"], second["answered"]) == (
        "anthropic",
        True,
        500,
        False,
    )
    assert (third["protocol"], third["stream"], third["status"], third["answered"]) == ("google", True, 200, True)
    assert third["idempotency_key"] is None


async def test_calls_of_one_model_can_be_asked_for(client: Asking, simulator: Control) -> None:
    await client.ask("openai", "a")
    await client.ask("openai", "b/c")
    found = await simulator.get("/_sim/calls?model=b/c")
    assert [call["model"] for call in found["calls"]] == ["b/c"]
    assert found["by_model"] == {"b/c": 1}


async def test_calls_are_forgotten_on_demand_and_scripts_are_kept(client: Asking, simulator: Control) -> None:
    await simulator.behave("m", text="kept")
    await client.ask("openai", "m")
    await simulator.delete("/_sim/calls")
    assert await simulator.get("/_sim/calls") == {"calls": [], "by_model": {}, "inputs": {}}
    assert (await simulator.get("/_sim/models/m"))["text"] == "kept"


async def test_a_request_that_is_none_is_a_call_that_was_not_answered(client: Asking, simulator: Control) -> None:
    await client.http.post("/v1/messages", content=b"{")
    [call] = await simulator.calls()
    assert (call["model"], call["status"], call["answered"], call["body"]) == ("", 400, False, None)


@pytest.mark.parametrize("fault", ["not_json", "cut", "reset"])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_broken_answer_is_none_and_the_client_is_not_said_to_have_left(
    client: Asking, simulator: Control, fault: str, stream: bool
) -> None:
    await simulator.behave("m", fault=fault)
    try:
        await client.ask("openai", "m", stream=stream)
    except httpx.RemoteProtocolError:
        assert fault != "not_json"
    [call] = await simulator.calls()
    assert (call["answered"], call["disconnected"]) == (False, False)


@EVERY_PROTOCOL
@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_while_it_waits_is_noticed_at_once(
    client: Asking, simulator: Control, protocol: str, stream: bool
) -> None:
    await simulator.behave("m", latency=60)
    asking = asyncio.create_task(client.ask(protocol, "m", stream=stream))
    await until(simulator.calls)
    [call] = await simulator.calls()
    assert (call["status"], call["answered"], call["disconnected"]) == (None, False, False)
    asking.cancel()

    async def left() -> bool:
        return [call["disconnected"] for call in await simulator.calls()] == [True]

    await until(left, timeout=2)
    assert [call["answered"] for call in await simulator.calls()] == [False]


async def test_a_client_that_leaves_in_the_middle_of_a_stream_is_noticed(client: Asking, simulator: Control) -> None:
    # More than the sockets between the two hold, so that the server has to wait for its reader.
    await simulator.behave("m", text="word " * 500_000)
    async with client.http.stream("POST", path("openai"), json=body("openai", "m", stream=True)) as response:
        lines = response.aiter_lines()
        assert (await anext(lines)).startswith("data: ")
        [call] = await simulator.calls()
        assert (call["status"], call["answered"], call["disconnected"]) == (200, False, False)

    async def left() -> bool:
        [call] = await simulator.calls()
        return (call["answered"], call["disconnected"]) == (False, True)

    await until(left, timeout=5)


async def test_slow_calls_do_not_wait_for_each_other(client: Asking, simulator: Control) -> None:
    await simulator.behave("m", latency=0.5)
    started = time.perf_counter()
    await asyncio.gather(*(client.ask("openai", "m") for _ in range(80)))
    assert time.perf_counter() - started < 80 * 0.5 / 2
    assert (await simulator.get("/_sim/calls"))["by_model"] == {"m": 80}


async def test_a_script_can_be_read_replaced_and_reset(simulator: Control) -> None:
    default = await simulator.get("/_sim/models/m")
    await simulator.behave("m", text="first", tokens={"input": 3, "output": 1})
    found = await simulator.get("/_sim/models/m")
    assert found == {**default, "text": "first", "tokens": {"input": 3, "output": 1, "cached": 0}}
    await simulator.behave("m", latency=2)
    assert await simulator.get("/_sim/models/m") == {**default, "latency": 2}
    await simulator.delete("/_sim/models/m")
    assert await simulator.get("/_sim/models/m") == default


async def test_all_scripts_can_be_reset_at_once(simulator: Control) -> None:
    await simulator.behave("a", text="one")
    await simulator.behave("b", text="two")
    await simulator.delete("/_sim/models")
    assert [(await simulator.get(f"/_sim/models/{id}"))["text"] for id in "ab"] == [None, None]


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({"latnecy": 1}, "latnecy"),
        ({"latency": -1}, "latency"),
        ({"latency": "soon"}, "latency"),
        ({"status": 200}, "status"),
        ({"status": 600}, "status"),
        ({"retry_after": -1}, "retry_after"),
        ({"outage": -1}, "outage.*"),
        ({"outage": "yes"}, "outage.*"),
        ({"error_rate": 1.5}, "error_rate"),
        ({"confidence": 2}, "confidence"),
        ({"tokens": {"input": 1}}, "tokens.output"),
        ({"tokens": {"input": 1, "output": 1, "cached": 2}}, "tokens"),
        ({"fault": "gremlins"}, "fault"),
        ({"finish_reason": "bored"}, "finish_reason"),
        ({"tool_call": {"arguments": {}}}, "tool_call.name"),
    ],
)
async def test_a_wrong_script_is_rejected_by_its_fields_name_and_changes_nothing(
    client: Asking, simulator: Control, written: dict[str, object], field: str
) -> None:
    before = await simulator.get("/_sim/models/m")
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await simulator.behave("m", **written)
    assert caught.value.response.status_code == 422
    assert re.match(f"{field}: ", caught.value.response.json()["error"])
    assert await simulator.get("/_sim/models/m") == before


async def test_every_wrong_field_of_a_script_is_named(client: Asking) -> None:
    response = await client.http.put("/_sim/models/m", json={"latency": -1, "fault": "gremlins"})
    assert [part.split(":")[0] for part in response.json()["error"].split("; ")] == ["latency", "fault"]


@pytest.mark.parametrize("sent", [b"", b"{", b"[]", b'{"latency": NaN}', b'{"latency": Infinity}'])
async def test_a_script_that_is_no_json_object_is_rejected(client: Asking, sent: bytes) -> None:
    response = await client.http.put("/_sim/models/m", content=sent)
    assert response.status_code == 422
    assert response.json()["error"].split(":")[0] in ("body", "latency")


async def test_health_and_the_list_of_models_answer(client: Asking, simulator: Control) -> None:
    await simulator.behave("m", text=PROMPT)
    assert await simulator.get("/_sim/health") == {"status": "ok"}
    found = await simulator.get("/v1/models")
    assert (found["object"], [model["id"] for model in found["data"]]) == ("list", ["m"])


async def test_answers_to_prompts_are_given_word_for_word_and_to_no_other(client: Asking, simulator: Control) -> None:
    known = {PROMPT: {"text": "Known.", "confidence": 0.25, "tokens": {"input": 7, "output": 3}}}
    await simulator.behave("a", answers=known)
    asked = {**body("openai", "a"), "logprobs": True}
    answer = (await client.http.post(path("openai"), json=asked)).json()
    [choice] = answer["choices"]
    assert choice["message"]["content"] == "Known.\nCONFIDENCE: 0.25"
    assert choice["logprobs"]["content"][0]["logprob"] == pytest.approx(math.log(0.25))
    assert (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]) == (7, 3)
    await simulator.behave("a", answers={"Another prompt?": {}})
    assert (await client.http.post(path("openai"), json=asked)).status_code == 404
