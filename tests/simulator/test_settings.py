"""What a person scripts is what a model does."""

import time

import httpx
import pytest

from continuo.testing.processes import Control
from tests.simulator.conftest import EVERY_PROTOCOL, PROMPT, Asking, Json, events, text


async def statuses(client: Asking, count: int, model: str = "m") -> list[int]:
    return [(await client.ask("openai", model)).status_code for _ in range(count)]


@EVERY_PROTOCOL
async def test_any_model_answers_about_the_prompt_says_that_it_is_simulated_and_repeats_itself(
    client: Asking, protocol: str
) -> None:
    response = await client.ask(protocol, "never-heard-of")
    assert response.headers["x-continuo-simulated"] == "true"
    found = text(protocol, response.json())
    assert found.startswith("[simulated never-heard-of] ")
    assert PROMPT in found
    assert text(protocol, await client.answer(protocol, "never-heard-of")) == found


@EVERY_PROTOCOL
async def test_a_model_may_have_a_slash_in_its_name(client: Asking, protocol: str) -> None:
    assert text(protocol, await client.answer(protocol, "openai/gpt:free")).startswith("[simulated openai/gpt:free] ")


@pytest.mark.parametrize(
    ("protocol", "system", "usage"),
    [
        ("openai", {}, {"prompt_tokens": 25, "completion_tokens": 10}),
        ("anthropic", {"system": "z" * 400}, {"input_tokens": 125, "output_tokens": 10}),
        ("google", {"systemInstruction": {"parts": [{"text": "z" * 400}]}},
         {"promptTokenCount": 125, "candidatesTokenCount": 10}),
    ],
)  # fmt: skip
async def test_tokens_are_about_four_characters_each_of_all_that_was_said(
    client: Asking, simulator: Control, protocol: str, system: Json, usage: Json
) -> None:
    await simulator.behave("m", text="x" * 40)
    found = await client.answer(protocol, "m", "y" * 100, **system)
    assert usage.items() <= (found.get("usage") or found["usageMetadata"]).items()


async def test_latency_comes_before_the_answer(client: Asking, simulator: Control) -> None:
    await simulator.behave("m", latency=0.3)
    started = time.perf_counter()
    await client.answer("openai", "m")
    assert 0.3 <= time.perf_counter() - started < 3


async def test_a_status_is_for_every_call_until_it_is_reset(client: Asking, simulator: Control) -> None:
    await simulator.behave("m", status=418)
    assert await statuses(client, 3) == [418, 418, 418]
    await simulator.delete("/_sim/models/m")
    assert await statuses(client, 1) == [200]


async def test_an_outage_is_over_after_so_many_calls(client: Asking, simulator: Control) -> None:
    await simulator.behave("m", outage=2)
    assert await statuses(client, 3) == [503, 503, 200]
    await simulator.behave("m", outage=1, status=429)
    assert await statuses(client, 2) == [429, 200]


async def test_an_outage_without_a_number_lasts_until_changed(client: Asking, simulator: Control) -> None:
    await simulator.behave("m", outage=True)
    assert await statuses(client, 3) == [503, 503, 503]
    await simulator.behave("m", outage=False)
    assert await statuses(client, 1) == [200]


async def test_an_error_rate_is_about_kept_and_the_same_for_the_same_seed(client: Asking, simulator: Control) -> None:
    runs = []
    for seed in (1, 1, 2):
        await simulator.behave("m", error_rate=0.3, seed=seed, status=500)
        runs.append(await statuses(client, 60))
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 500}
    assert 8 <= runs[0].count(500) <= 28


@pytest.mark.parametrize(("rate", "expected"), [(0, 200), (1, 503)])
async def test_an_error_rate_of_none_or_all_is_exact(
    client: Asking, simulator: Control, rate: float, expected: int
) -> None:
    await simulator.behave("m", error_rate=rate)
    assert set(await statuses(client, 20)) == {expected}


async def test_an_error_says_when_to_come_back(client: Asking, simulator: Control) -> None:
    await simulator.behave("m", status=429, retry_after=7, retry_after_ms=1234567.5)
    found = (await client.ask("openai", "m")).headers
    assert (found["retry-after"], found["retry-after-ms"]) == ("7", "1234567.5")
    await simulator.behave("m", status=429)
    assert "retry-after" not in (await client.ask("openai", "m")).headers


async def test_an_error_code_takes_the_place_of_the_statuss_own(client: Asking, simulator: Control) -> None:
    await simulator.behave("m", status=429, error_code="insufficient_quota")
    assert (await client.ask("openai", "m")).json()["error"]["code"] == "insufficient_quota"


@EVERY_PROTOCOL
async def test_the_confidence_is_the_last_line_of_a_text(client: Asking, simulator: Control, protocol: str) -> None:
    await simulator.behave("m", confidence=0.85)
    assert text(protocol, await client.answer(protocol, "m")).endswith("here.\nCONFIDENCE: 0.85")
    await simulator.behave("m", confidence=0.4, text="Tomorrow.")
    assert text(protocol, await client.answer(protocol, "m")) == "Tomorrow.\nCONFIDENCE: 0.4"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("length", ["length", "max_tokens", "MAX_TOKENS"]),
        ("content_filter", ["content_filter", "refusal", "SAFETY"]),
    ],
)
async def test_a_finish_reason_has_each_protocols_name(
    client: Asking, simulator: Control, reason: str, expected: list[str]
) -> None:
    await simulator.behave("m", finish_reason=reason)
    found = [
        (await client.answer("openai", "m"))["choices"][0]["finish_reason"],
        (await client.answer("anthropic", "m"))["stop_reason"],
        (await client.answer("google", "m"))["candidates"][0]["finishReason"],
    ]
    assert found == expected


@EVERY_PROTOCOL
@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_not_json_comes_with_a_good_status(
    client: Asking, simulator: Control, protocol: str, stream: bool
) -> None:
    await simulator.behave("m", fault="not_json")
    response = await client.ask(protocol, "m", stream=stream)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert response.text.startswith("<html>")


@pytest.mark.parametrize(
    ("protocol", "field"), [("openai", "choices"), ("anthropic", "content"), ("google", "candidates")]
)
async def test_an_empty_answer_has_its_shape_and_no_content(
    client: Asking, simulator: Control, protocol: str, field: str
) -> None:
    await simulator.behave("m", fault="empty")
    assert (await client.answer(protocol, "m"))[field] == []
    streamed = (await client.ask(protocol, "m", stream=True)).text
    assert not any(word in streamed for word in ("simulated m", "content_block", '"delta": {"content"'))


@EVERY_PROTOCOL
async def test_an_answer_without_usage_counts_nothing(client: Asking, simulator: Control, protocol: str) -> None:
    await simulator.behave("m", fault="no_usage")
    whole = await client.answer(protocol, "m")
    streamed = await client.ask(protocol, "m", stream=True)
    assert not {"usage", "usageMetadata"} & whole.keys()
    assert "usage" not in streamed.text


async def test_a_refusal_is_told_as_each_provider_tells_it(client: Asking, simulator: Control) -> None:
    await simulator.behave("m", fault="refusal")
    [choice] = (await client.answer("openai", "m"))["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (None, "stop")
    assert "cannot help" in choice["message"]["refusal"]
    message = await client.answer("anthropic", "m")
    assert (message["content"], message["stop_reason"]) == ([], "refusal")
    [candidate] = (await client.answer("google", "m"))["candidates"]
    assert (candidate["content"]["parts"], candidate["finishReason"]) == ([], "SAFETY")


async def test_a_refusal_is_streamed_too(client: Asking, simulator: Control) -> None:
    await simulator.behave("m", fault="refusal")
    openai, anthropic, google = [
        events(await client.ask(protocol, "m", stream=True)) for protocol in ("openai", "anthropic", "google")
    ]
    assert any("cannot help" in str(event["choices"][0]["delta"].get("refusal")) for event in openai)
    assert anthropic[-2]["delta"]["stop_reason"] == "refusal"
    assert google[-1]["candidates"][0]["finishReason"] == "SAFETY"


@EVERY_PROTOCOL
@pytest.mark.parametrize("fault", ["cut", "reset"])
async def test_a_body_that_is_cut_or_a_reset_breaks_the_connection(
    client: Asking, simulator: Control, protocol: str, fault: str
) -> None:
    await simulator.behave("m", fault=fault)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.ask(protocol, "m")


@EVERY_PROTOCOL
async def test_a_stream_that_is_cut_ends_well_but_too_early(client: Asking, simulator: Control, protocol: str) -> None:
    whole = (await client.ask(protocol, "m", stream=True)).text
    await simulator.behave("m", fault="cut")
    half = (await client.ask(protocol, "m", stream=True)).text
    assert 0 < half.count("data: ") == whole.count("data: ") // 2
