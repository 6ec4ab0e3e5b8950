"""Several choices of one request: each is a run of its own, and the client has them as one answer."""

import asyncio
from collections import defaultdict
from typing import Any

import openai
import pytest

from continuo.testing.processes import Control, until
from tests.gateway.test_retries import counted
from tests.support.gateway import GatewayProcess, new_key
from tests.support.streams import ASKED, STORY, events

BODY: dict[str, Any] = {"model": "sim-mini", "messages": ASKED, "n": 3, "seed": 2**31 - 1}
PATH = "/v1/chat/completions"


def texts_of(chunks: list[dict[str, Any]]) -> list[str]:
    texts: dict[int, str] = defaultdict(str)
    for choice in (choice for chunk in chunks for choice in chunk["choices"]):
        texts[choice["index"]] += choice["delta"].get("content") or ""
    return [texts[index] for index in sorted(texts)]


async def test_each_choice_is_a_call_and_usage_and_cost_are_of_all(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="Here.", tokens={"input": 10, "output": 3})
    async with gateway.openai() as client:
        one = await client.chat.completions.create(model="sim-mini", messages=ASKED)
        made = await client.chat.completions.create(**BODY)
        patterned = await client.chat.completions.create(model="support", messages=ASKED, n=2)
    assert [choice.index for choice in patterned.choices] == [0, 1]
    assert [(choice.index, choice.message.content, choice.finish_reason) for choice in made.choices] == [
        (index, "Here.", "stop") for index in range(3)
    ]
    assert made.usage is not None
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (30, 9)
    costs = [(completion.model_extra or {})["continuo"]["cost_usd"] for completion in (one, made)]
    assert costs[0] > 0
    assert costs[1] == pytest.approx(3 * costs[0])
    calls = (await simulator.calls("sim-mini"))[1:4]
    assert len({call["body"]["generationConfig"]["seed"] for call in calls}) == 3


async def test_they_are_streamed_one_behind_the_other_and_gone_on_with(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.01)
    body = BODY | {"stream": True, "stream_options": {"include_usage": True}}
    async with gateway.http(await new_key()) as http:
        async with http.stream("POST", PATH, json=body) as response:
            run = response.headers["x-continuo-run-id"]
            whole = [chunk async for chunk in events(response)]
        for after in (0, 2, len(whole) // 2, len(whole) - 1):
            headers = {"x-continuo-resume": f"{run}:{after}"}
            async with http.stream("POST", PATH, json=body, headers=headers) as response:
                assert [chunk async for chunk in events(response)] == whole[after:]
        more = await http.post(PATH, json=body | {"n": 4}, headers={"x-continuo-resume": run})
        assert more.status_code == 404
    assert texts_of(whole) == [STORY] * 3
    ends = [choice for chunk in whole for choice in chunk["choices"] if choice["finish_reason"]]
    assert [end["index"] for end in ends] == [0, 1, 2]
    assert [chunk["usage"] is not None for chunk in whole] == [False] * (len(whole) - 1) + [True]
    calls = await simulator.calls("sim-mini")
    assert len(calls) == 3
    assert whole[-1]["usage"]["completion_tokens"] > 0


async def test_a_request_that_is_repeated_finds_them_all_and_who_leaves_ends_them_all(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="Here.", latency=0.5)
    async with gateway.http(await new_key()) as http:
        first = asyncio.ensure_future(http.post(PATH, json=BODY))
        await until(lambda: all_begun(simulator, 3))
        again = await http.post(PATH, json=BODY, headers={"x-stainless-retry-count": "1"})
        assert again.json() == (await first).json()
        await simulator.behave("sim-mini", latency=60)
        leaving = asyncio.ensure_future(http.post(PATH, json=BODY))
        await until(lambda: all_begun(simulator, 6))
        leaving.cancel()
        await counted(0)

        async def left() -> bool:
            return all(call["disconnected"] for call in (await simulator.calls("sim-mini"))[3:])

        await until(left, timeout=5)
    assert len(await simulator.calls("sim-mini")) == 6


async def all_begun(simulator: Control, number: int) -> bool:
    return len(await simulator.calls("sim-mini")) == number


async def test_a_choice_that_fails_fails_the_request_and_the_others_are_not_asked_again(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="Here.", status=400, outage=1)
    async with gateway.http(await new_key()) as http:
        failed = await http.post(PATH, json=BODY)
        assert failed.status_code == 400
        made = await http.post(PATH, json=BODY, headers={"x-stainless-retry-count": "1"})
    assert [choice["message"]["content"] for choice in made.json()["choices"]] == ["Here."] * 3
    assert len(await simulator.calls("sim-mini")) == 4


async def test_a_choice_that_fails_while_another_is_streamed_ends_the_stream_in_an_error(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.02, status=400, outage=1)
    body = BODY | {"stream": True}
    async with gateway.http(await new_key()) as http:
        async with http.stream("POST", PATH, json=body) as response:
            chunks = [chunk async for chunk in events(response)]
        if response.status_code == 200:
            assert "error" in chunks[-1]
        else:
            assert (response.status_code, chunks) == (400, [])
        async with http.stream("POST", PATH, json=body, headers={"x-stainless-retry-count": "1"}) as response:
            assert texts_of([chunk async for chunk in events(response)]) == [STORY] * 3
        await counted(0)
    assert len(await simulator.calls("sim-mini")) == 4


async def test_a_prompt_is_completed_several_times(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="Here.")
    async with gateway.openai() as client:
        made = await client.completions.create(model="sim-mini", prompt="Where? ", n=2, echo=True)
        assert [(choice.index, choice.text) for choice in made.choices] == [(0, "Where? Here."), (1, "Where? Here.")]
        stream = await client.completions.create(model="sim-mini", prompt="Where? ", n=2, echo=True, stream=True)
        texts = ["", ""]
        async for chunk in stream:
            for choice in chunk.choices:
                texts[choice.index] += choice.text
    assert texts == ["Where? Here."] * 2


async def test_too_many_are_refused_and_none_of_them_is_kept(gateway: GatewayProcess, simulator: Control) -> None:
    async with gateway.openai() as client:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"n": 17}, "n"),
            ({"n": 0}, "n"),
            ({"n": 2, "store": True}, "store"),
        ]
        for fields, param in wrong:
            with pytest.raises(openai.BadRequestError) as refused:
                await client.chat.completions.create(model="sim-mini", messages=ASKED, **fields)
            assert refused.value.param == param
    assert await simulator.calls() == []
