"""Upstreams that lie, drip and burst: each comes to a clean answer or a typed error, in bounded time and memory."""

import asyncio
import gzip
import json
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.catalog import Price
from continuo.errors import ProviderError
from continuo.messages import MOST_TOKENS, Usage, plausible
from continuo.providers.client import ModelClient
from continuo.providers.limited import MAX_ANSWER
from continuo.providers.parsed import parsed
from continuo.providers.sse import EventData
from tests.continuo.providers.conftest import HELLO, KEY, Wire, ask, shape, streamed
from tests.continuo.providers.test_client import client
from tests.support.memory import Growth


def changed(**message: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(shape("openai", "text.json"))
    body["choices"][0]["message"] |= message
    return body


async def test_a_time_limit_holds_however_the_upstream_drips(tmp_path: Path) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    models = client(tmp_path, base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    started = time.monotonic()
    with pytest.raises(ProviderError, match="no whole answer within") as caught:
        await ask(models, "openai", timeout=0.5)
    assert (caught.value.kind, caught.value.retryable) == ("timeout", True)
    assert time.monotonic() - started < 5
    await models.aclose()
    server.close()


@pytest.mark.parametrize("status", [200, 500])
async def test_a_small_body_that_unpacks_to_a_huge_one_is_cut_off(models: ModelClient, wire: Wire, status: int) -> None:
    wire.answers(gzip.compress(b" " * 2**28, 1), status, content_encoding="gzip")
    growth = Growth()
    with pytest.raises(ProviderError, match="its body has more than") as caught:
        await ask(models, "openai", timeout=30)
    assert not caught.value.retryable
    assert growth.most() < 6 * MAX_ANSWER


EVENT = b"data: " + json.dumps({"choices": [{"delta": {"content": "la " * 1000}}]}).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("endless", "why"),
    [
        (EVENT, "its body has more than 4,000,000 bytes"),
        (b"data: " + b"x" * 4096, "a line of the stream has more"),
    ],
    ids=["of events", "of one line"],
)
@pytest.mark.parametrize("packed", [False, True], ids=["", "packed"])
async def test_a_stream_without_an_end_is_cut_off_and_its_request_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endless: bytes, why: str, packed: bool
) -> None:
    monkeypatch.setattr("continuo.providers.client.MAX_STREAM", 4_000_000)
    closed = asyncio.Event()

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + (b"content-encoding: gzip\r\n" if packed else b"") + b"\r\n")
        deflate = zlib.compressobj(1, wbits=31)
        try:
            while True:
                writer.write(deflate.compress(endless) if packed else endless)
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            closed.set()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    models = client(tmp_path, base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    with pytest.raises(ProviderError, match=f"^openai: {why}") as caught:
        await streamed(models, "openai")
    assert (caught.value.kind, caught.value.retryable) == ("invalid_response", False)
    async with asyncio.timeout(10):
        await closed.wait()
    await models.aclose()
    server.close()


async def test_a_line_of_a_stream_may_come_in_any_pieces() -> None:
    whole = EVENT * 3
    for size in (1, 7, 4096, len(whole)):
        events = EventData()
        found = [data for at in range(0, len(whole), size) for data in events.feed(whole[at : at + size])]
        assert found == [EVENT.removeprefix(b"data: ").strip()] * 3


async def test_an_answer_of_too_many_values_is_refused(models: ModelClient, wire: Wire) -> None:
    body = b'{"a": [' + b",".join([b"[]"] * (MAX_ANSWER // 3 - 10)) + b"]}"
    wire.answers(body)
    async with asyncio.timeout(60):
        with pytest.raises(ProviderError, match="openai: the response has more than 2,000,000 values") as caught:
            await ask(models, "openai", timeout=60)
    assert (caught.value.kind, caught.value.retryable) == ("invalid_response", False)


async def test_a_large_answer_is_read_as_a_small_one_is(models: ModelClient, wire: Wire) -> None:
    token = {"token": " the", "logprob": -0.1, "bytes": [32, 116, 104, 101], "top_logprobs": []}
    body = changed(content="the \ud83d\ude00 " * 100_000)
    body["choices"][0]["logprobs"] = {"content": [token] * 40_000}
    wire.answers(json.dumps(body))
    answer = await ask(models, "openai", timeout=60)
    assert answer.message.content == "the 😀 " * 100_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_packed_answer_is_read(models: ModelClient, wire: Wire, encoding: str) -> None:
    text = shape("openai", "text.json")
    wire.answers(gzip.compress(text) if encoding == "gzip" else zlib.compress(text), content_encoding=encoding)
    assert (await ask(models, "openai")).message.content


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
async def test_a_body_packed_in_another_way_is_a_final_error(models: ModelClient, wire: Wire, encoding: str) -> None:
    wire.answers(b"x", content_encoding=encoding)
    with pytest.raises(ProviderError, match="not as gzip or deflate") as caught:
        await ask(models, "openai")
    assert not caught.value.retryable


async def test_half_a_surrogate_pair_in_an_answer_becomes_a_replacement_character(
    models: ModelClient, wire: Wire
) -> None:
    wire.answers(json.dumps(changed(content="a\ud800b")))
    answer = await ask(models, "openai")
    assert answer.message.content == "a\ufffdb"
    answer.model_dump_json()


@pytest.mark.parametrize("text", ["", " \n\t", None])
async def test_an_answer_without_a_word_is_none(models: ModelClient, wire: Wire, text: str | None) -> None:
    wire.answers(json.dumps(changed(content=text)))
    with pytest.raises(ProviderError, match="openai: the response has no text") as caught:
        await ask(models, "openai")
    assert (caught.value.kind, caught.value.retryable) == ("invalid_response", True)
    assert caught.value.usage


async def test_tools_or_a_stop_sequence_may_come_before_the_first_word(models: ModelClient, wire: Wire) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
    wire.answers(json.dumps(changed(content=" ", tool_calls=[call])))
    assert (await ask(models, "openai")).message.tool_calls
    wire.answers(json.dumps(changed(content="")))
    assert (await ask(models, "openai", HELLO.model_copy(update={"stop": ("END",)}))).message.content == ""


@pytest.mark.parametrize("what", [{"refusal": "no \ud800"}, {"tool_calls": [{"\ud800": 1}]}])
async def test_an_error_holds_nothing_that_cannot_be_kept(
    models: ModelClient, wire: Wire, what: dict[str, Any]
) -> None:
    wire.answers(json.dumps(changed(content="", **what)))
    with pytest.raises(ProviderError) as caught:
        await ask(models, "openai")
    str(caught.value).encode()


@pytest.mark.parametrize("times", range(4))
async def test_an_answer_is_read_without_the_key_that_it_repeats_however_often_escaped(
    wire: Wire, tmp_path: Path, times: int
) -> None:
    key = 'sk-canary/0123456789"abcdef+XYZ'
    told = key
    for _ in range(times):
        told = json.dumps(told)
    wire.answers(json.dumps(changed(content=f"<{told}>")))
    models = client(tmp_path, key, base_url=wire.url, key_env="A_KEY")
    found = (await ask(models, "openai")).message.content
    assert (found[0], found[-1]) == ("<", ">")
    assert "canary" not in found
    await models.aclose()


async def test_a_key_that_is_repeated_as_escapes_alone_is_masked(models: ModelClient, wire: Wire) -> None:
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
    wire.answers(json.dumps(changed(content="It is HERE.")).replace("HERE", escaped))
    assert (await ask(models, "openai")).message.content == "It is ***."


async def test_an_error_message_with_half_a_pair_can_be_kept(models: ModelClient, wire: Wire) -> None:
    wire.answers(json.dumps({"error": {"message": "bad \ud800"}}), 400)
    with pytest.raises(ProviderError, match="bad") as caught:
        await ask(models, "openai")
    str(caught.value).encode()


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 10**18, "completion_tokens": 1},
        {"prompt_tokens": -5, "completion_tokens": 1},
        {"prompt_tokens": 5, "completion_tokens": -1},
        {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 6}},
    ],
)
async def test_counts_that_cannot_be_are_estimated_and_marked_and_the_answer_is_kept(
    models: ModelClient, wire: Wire, usage: dict[str, Any]
) -> None:
    wire.answers(json.dumps(changed(content="yes") | {"usage": usage}))
    answer = await ask(models, "openai")
    assert answer.message.content == "yes"
    assert answer.usage
    assert answer.usage.estimated
    assert 0 <= answer.usage.cached_tokens <= answer.usage.input_tokens < 100


@pytest.mark.parametrize("body", [b'{"choices": [NaN]}', b"[" * 100_000, b'{"usage": Infinity}', b"\xff"])
async def test_what_is_no_json_is_a_broken_answer(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        parsed(body)
    assert caught.value.kind == "invalid_response"


counts = st.integers(-(10**20), 10**20)


@given(counts, counts, counts)
def test_no_usage_is_ever_a_credit(read: int, written: int, cached: int) -> None:
    price = Price.model_validate({"input": 1, "output": 2, "cached": 0.1, "source": "here", "date": "2026-11-24"})
    usage = Usage(input_tokens=read, output_tokens=written, cached_tokens=cached)
    found = plausible(usage)
    if found is None:
        assert min(read, written, cached) < 0 or max(read, written) > MOST_TOKENS or cached > read
    else:
        assert 0 <= price.cost(found) <= 3 * MOST_TOKENS
