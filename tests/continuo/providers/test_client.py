"""The client on the wire: what it sends, what it hides, how it gives up."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from continuo.config.catalog import Catalog, Model
from continuo.deltas import TextDelta
from continuo.errors import ProviderError
from continuo.messages import Message, ModelRequest
from continuo.parameters import Tool
from continuo.protection.masking import Masker, secrets
from continuo.providers.client import ModelClient
from tests.continuo.providers.conftest import HELLO, KEY, PROTOCOLS, Wire, ask, shape, streamed

SOME = Model(id="some-model", provider="openai", name="some-model")


@pytest.mark.parametrize(
    ("provider", "path", "header", "value"),
    [
        ("openai", "/chat/completions", "authorization", f"Bearer {KEY}"),
        ("anthropic", "/messages", "x-api-key", KEY),
        ("google", "/models/some-model:generateContent", "x-goog-api-key", KEY),
        ("custom", "/messages", "api-key", KEY),
    ],
)
async def test_a_request_carries_its_key_and_its_identity(
    models: ModelClient, wire: Wire, provider: str, path: str, header: str, value: str
) -> None:
    wire.answers(shape("anthropic" if provider == "custom" else provider, "text.json"))
    await ask(models, provider)
    [sent] = wire.sent
    assert (sent.path, sent.headers[header]) == (path, value)
    assert sent.headers["idempotency-key"] == "run/1"
    assert sent.headers["content-type"] == "application/json"


async def test_a_key_header_of_its_own_leaves_the_other_headers_alone(models: ModelClient, wire: Wire) -> None:
    wire.answers(shape("anthropic", "text.json"))
    await ask(models, "custom")
    headers = wire.sent[0].headers
    assert (headers["anthropic-version"], headers["x-team"]) == ("2023-06-01", "blue")
    assert "x-api-key" not in headers


async def test_a_provider_without_a_key_gets_none(wire: Wire, tmp_path: Path) -> None:
    wire.answers(shape("openai", "text.json"))
    models = client(tmp_path, base_url=wire.url)
    await ask(models, "openai")
    await models.aclose()
    assert "authorization" not in wire.sent[0].headers


@pytest.mark.parametrize("key", [f"{KEY}\x7fx", f"{KEY}é", f"{KEY}\x00"])
async def test_a_key_that_no_header_can_carry_is_named_but_not_shown(wire: Wire, tmp_path: Path, key: str) -> None:
    models = client(tmp_path, key, base_url=wire.url, key_env="A_KEY")
    with pytest.raises(ProviderError, match="A_KEY holds") as caught:
        await ask(models, "openai")
    await models.aclose()
    assert caught.value.kind == "unauthorized"
    assert KEY not in repr(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


async def test_a_key_that_the_provider_repeats_is_blotted_out(models: ModelClient, wire: Wire) -> None:
    wire.answers(f"x {KEY} " * 50, 401)
    with pytest.raises(ProviderError, match=r"openai: 401 x \*\*\*") as caught:
        await ask(models, "openai")
    assert "5ecret" not in str(caught.value)
    assert KEY not in repr(models)


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ({"key_env": "A_KEY"}, "no A_KEY"),
        ({"base_url_env": "A_URL"}, "set A_URL"),
        ({"base_url": "localhost"}, "base URL"),
        ({"base_url": "http://host:port"}, "base URL"),
    ],
)
async def test_what_is_not_configured_is_not_worth_a_second_try(
    tmp_path: Path, endpoint: dict[str, str], message: str
) -> None:
    models = client(tmp_path, None, **endpoint)
    with pytest.raises(ProviderError, match=message) as caught:
        await ask(models, "openai", HELLO.model_copy(update={"max_tokens": 10}))
    await models.aclose()
    assert not caught.value.retryable


async def test_a_request_that_is_not_json_is_an_error_of_the_request(models: ModelClient) -> None:
    tool = Tool(name="t", description="\ud800")
    with pytest.raises(ProviderError, match="openai: the request is not JSON") as caught:
        await ask(models, "openai", HELLO.model_copy(update={"tools": (tool,)}))
    assert caught.value.kind == "invalid_request"


async def test_half_a_surrogate_pair_is_refused_before_anything_is_sent(models: ModelClient, wire: Wire) -> None:
    wire.answers(shape("openai", "text.json"))
    with pytest.raises(ProviderError, match="the request is not JSON") as caught:
        await ask(models, "openai", ModelRequest(messages=(Message(role="user", content="\ud800"),)))
    assert (caught.value.kind, caught.value.retryable, wire.sent) == ("invalid_request", False, [])


async def test_a_provider_that_does_not_answer_in_time_is_a_timeout(models: ModelClient) -> None:
    with pytest.raises(ProviderError, match=r"openai: (ReadTimeout|no whole answer within)") as caught:
        await ask(models, "openai", timeout=0.05)
    assert (caught.value.kind, caught.value.retryable) == ("timeout", True)


async def test_nobody_at_the_address_is_a_connection_error(tmp_path: Path, unused_tcp_port: int) -> None:
    models = client(tmp_path, base_url=f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(ProviderError, match="openai: ConnectError") as caught:
        await ask(models, "openai")
    await models.aclose()
    assert (caught.value.kind, caught.value.retryable) == ("connection", True)


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200", b"SMTP ready\r\n\r\n"])
async def test_a_connection_dropped_without_an_answer_may_be_tried_again(
    models: ModelClient, wire: Wire, reply: bytes
) -> None:
    wire.reply = reply
    with pytest.raises(ProviderError, match="openai: ") as caught:
        await ask(models, "openai")
    assert (caught.value.kind, caught.value.retryable) == ("connection", True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_body_cut_short_may_be_asked_for_again(models: ModelClient, wire: Wire, protocol: str) -> None:
    wire.answers(shape(protocol, "text.json"), promised=1)
    with pytest.raises(ProviderError) as whole:
        await ask(models, protocol)
    wire.answers(shape(protocol, "stream.sse"), promised=1)
    with pytest.raises(ProviderError) as stream:
        await streamed(models, protocol)
    assert [(caught.value.kind, caught.value.retryable) for caught in (whole, stream)] == [("connection", True)] * 2


async def test_the_wait_that_a_provider_demands_is_passed_on(models: ModelClient, wire: Wire) -> None:
    wire.answers(shape("openai", "error.json"), 429, retry_after="20", retry_after_ms="1500")
    with pytest.raises(ProviderError) as caught:
        await ask(models, "openai")
    assert (caught.value.kind, caught.value.retry_after) == ("rate_limited", 1.5)


async def test_used_up_quota_is_final(models: ModelClient, wire: Wire) -> None:
    wire.answers(shape("openai", "quota.json"), 429)
    with pytest.raises(ProviderError, match="quota is used up") as caught:
        await ask(models, "openai")
    assert not caught.value.retryable


@pytest.mark.parametrize(("protocol", "name"), [("openai", "filtered.json"), ("google", "blocked.json")])
async def test_a_filter_that_leaves_nothing_is_a_refusal(
    models: ModelClient, wire: Wire, protocol: str, name: str
) -> None:
    wire.answers(shape(protocol, name))
    with pytest.raises(ProviderError) as caught:
        await ask(models, protocol)
    assert caught.value.kind == "refused"
    assert caught.value.usage
    assert caught.value.usage.input_tokens == 81


async def test_thinking_that_uses_up_the_limit_leaves_an_empty_answer(models: ModelClient, wire: Wire) -> None:
    wire.answers(shape("anthropic", "only_thinking.json"))
    found = await ask(models, "anthropic")
    assert (found.message.text, found.finish_reason) == ("", "length")


async def test_calls_that_gemini_gives_no_id_differ_from_turn_to_turn(models: ModelClient, wire: Wire) -> None:
    wire.answers(shape("google", "tools.json"))
    first, second = await ask(models, "google"), await ask(models, "google")
    assert first.message.tool_calls[1].id != second.message.tool_calls[1].id


async def test_cancelling_a_call_closes_its_connection_at_once(models: ModelClient, wire: Wire) -> None:
    call = asyncio.create_task(ask(models, "openai", timeout=60))
    await asyncio.wait_for(wire.asked.wait(), 5)
    call.cancel()
    await asyncio.wait_for(wire.left.wait(), 5)
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_leaving_a_stream_leaves_the_client_fit_for_the_next_call(models: ModelClient, wire: Wire) -> None:
    wire.answers(shape("openai", "stream.sse"))
    stream = models.stream(SOME, HELLO, timeout=5, idempotency_key="run/1")
    async with aclosing(stream):
        assert await anext(stream) == TextDelta("Bonjour")
    wire.answers(shape("openai", "text.json"))
    assert (await ask(models, "openai")).message.text == "Bonjour !"


async def test_a_hundred_calls_at_once_are_all_answered(models: ModelClient, wire: Wire) -> None:
    wire.answers(shape("openai", "text.json"))
    found = await asyncio.gather(*(ask(models, "openai") for _ in range(100)))
    assert {answer.message.text for answer in found} == {"Bonjour !"}


async def test_the_knowledge_folder_answers_whole_or_streamed(tmp_path: Path) -> None:
    (tmp_path / "hello.md").write_text("# Hello\n\nIn French one says bonjour.\n", encoding="utf-8")
    models = client(tmp_path, protocol="knowledge")
    whole = await ask(models, "openai")
    pieces, last = await streamed(models, "openai")
    await models.aclose()
    assert "bonjour" in whole.message.text
    assert whole.confidence
    assert (pieces, last) == ([whole.message.text], whole)


async def test_a_knowledge_folder_without_text_is_an_error_of_the_request(tmp_path: Path) -> None:
    models = client(tmp_path, protocol="knowledge")
    with pytest.raises(ProviderError, match="openai: no Markdown") as caught:
        await ask(models, "openai")
    await models.aclose()
    assert (caught.value.kind, caught.value.retryable) == ("invalid_request", False)


def client(folder: Path, key: str | None = KEY, *, protocol: str = "openai", **endpoint: str) -> ModelClient:
    """A client of one provider, called `openai` whatever it speaks."""
    catalog = Catalog.model_validate({"providers": {"openai": {"protocol": protocol, **endpoint}}, "models": {}})
    environ = {"A_KEY": key} if key else {}
    return ModelClient(catalog, environ, folder, Masker(secrets(catalog, environ)))
