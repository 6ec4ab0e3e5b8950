"""Chat completions, as OpenAI's own SDK asks for them."""

import json
from base64 import b64encode
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel

from continuo.config.settings import Settings
from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess, new_key
from tests.support.media import png

ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Where is my order?"}]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


async def test_a_model_answers_with_its_usage_and_our_account(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="It is on its way.", tokens={"input": 12, "output": 5})
    async with gateway.openai() as client:
        raw = await client.chat.completions.with_raw_response.create(model="sim-mini", messages=ASKED)
    completion = raw.parse()
    assert completion.id.startswith("chatcmpl-")
    assert completion.model == "sim-mini"
    assert completion.choices[0].message.content == "It is on its way."
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (12, 5)
    ours: dict[str, Any] = (completion.model_extra or {})["continuo"]
    assert (ours["pattern"], ours["model"], ours["simulated"]) == ("model:sim-mini", "sim-mini", True)
    assert raw.headers["x-continuo-run-id"] == ours["workflow_id"]
    assert raw.headers["x-request-id"].startswith("req_")


async def test_a_named_pattern_answers_as_a_model_does(gateway: GatewayProcess) -> None:
    async with gateway.openai() as client:
        completion = await client.chat.completions.create(model="support", messages=ASKED)
    assert completion.choices[0].message.content
    assert (completion.model_extra or {})["continuo"]["pattern"] == "support"


async def test_an_answer_is_streamed_with_usage_and_our_account_at_its_end(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="It is on its way.", tokens={"input": 12, "output": 5})
    async with gateway.openai() as client:
        stream = await client.chat.completions.create(
            model="sim-mini", messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "It is on its way."
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 5
    assert (chunks[-1].model_extra or {})["continuo"]["served_by"] == "model"


async def test_tools_are_called_and_their_results_given_back(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", tool_call={"name": "weather", "arguments": {"city": "Paris"}})
    async with gateway.openai() as client:
        first = await client.chat.completions.create(model="sim-mini", messages=ASKED, tools=[WEATHER])
        message = first.choices[0].message
        assert first.choices[0].finish_reason == "tool_calls"
        assert message.tool_calls is not None
        assert message.tool_calls[0].type == "function"
        assert json.loads(message.tool_calls[0].function.arguments) == {"city": "Paris"}
        await simulator.behave("sim-mini", text="It rains.")
        given: Any = message.model_dump()
        result: ChatCompletionMessageParam = {
            "role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "rain"
        }  # fmt: skip
        second = await client.chat.completions.create(
            model="sim-mini", messages=[*ASKED, given, result], tools=[WEATHER]
        )
    assert second.choices[0].message.content == "It rains."
    # An answer that calls a tool is recorded as any other is.
    assert list((Settings().data / "unrecorded").glob("*")) == []


class City(BaseModel):
    name: str


async def test_an_answer_is_parsed_by_the_sdk(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text='{"name": "Paris"}')
    async with gateway.openai() as client:
        completion = await client.chat.completions.parse(model="sim-mini", messages=ASKED, response_format=City)
    assert completion.choices[0].message.parsed == City(name="Paris")


@pytest.mark.parametrize(
    ("body", "raised", "says"),
    [
        ({"model": "no-such"}, openai.NotFoundError, "unknown model 'no-such'"),
        ({"model": "patterns/x.yaml"}, openai.NotFoundError, "unknown model"),
        ({"model": "sim-mini", "extra_body": {"web_search_options": {}}}, openai.BadRequestError, "web_search_options"),
        ({"model": "sim-mini", "n": 17}, openai.BadRequestError, "n: "),
        ({"model": "sim-mini", "temperature": 3}, openai.BadRequestError, "temperature: "),
        ({"model": "sim-mini", "messages": []}, openai.BadRequestError, "messages: "),
    ],
    ids=["unknown", "a file", "unknown field", "too many answers", "out of range", "nothing asked"],
)
async def test_what_cannot_run_is_refused_by_name_before_anything_runs(
    gateway: GatewayProcess, simulator: Control, body: dict[str, Any], raised: type[openai.APIStatusError], says: str
) -> None:
    async with gateway.openai() as client:
        with pytest.raises(raised, match=says):
            await client.chat.completions.create(**{"messages": ASKED, **body})
    assert await simulator.calls() == []


async def test_a_wrong_key_and_one_that_may_not_use_a_model_are_told_apart(gateway: GatewayProcess) -> None:
    async with gateway.openai("cnt_wrong") as client:
        with pytest.raises(openai.AuthenticationError):
            await client.chat.completions.create(model="sim-mini", messages=ASKED)
    async with gateway.openai(await new_key(models=("sim-mid",), patterns=())) as client:
        with pytest.raises(openai.PermissionDeniedError, match="may not use 'sim-mini'"):
            await client.chat.completions.create(model="sim-mini", messages=ASKED)
        assert [model.id async for model in client.models.list()] == ["sim-mid"]


async def test_a_provider_that_fails_for_good_is_an_error_that_no_sdk_repeats(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", status=400, error_message="too much")
    async with gateway.openai() as client:
        with pytest.raises(openai.BadRequestError, match="too much"):
            await client.chat.completions.create(model="sim-mini", messages=ASKED)
    assert len(await simulator.calls()) == 1


async def test_a_key_has_its_rate_and_says_when_to_come_again(gateway: GatewayProcess, simulator: Control) -> None:
    async with gateway.openai(await new_key(requests_per_minute=1), max_retries=0) as client:
        raw = await client.chat.completions.with_raw_response.create(model="sim-mini", messages=ASKED)
        assert raw.headers["x-ratelimit-limit-requests"] == "1"
        with pytest.raises(openai.RateLimitError) as refused:
            await client.chat.completions.create(model="sim-mini", messages=ASKED)
    assert 0 < float(refused.value.response.headers["retry-after"]) <= 62


async def test_an_image_reaches_the_model(gateway: GatewayProcess, simulator: Control) -> None:
    photo = b64encode(png()).decode()
    content: Any = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{photo}"}},
    ]
    async with gateway.openai() as client:
        await client.chat.completions.create(model="sim-mini", messages=[{"role": "user", "content": content}])
    [call] = await simulator.calls("sim-mini")
    assert photo in json.dumps(call["body"])
