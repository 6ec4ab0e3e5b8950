"""What a request that brought no answer may cost: the client says whether the provider can have billed it."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from continuo.config.catalog import Model
from continuo.errors import ProviderError
from continuo.messages import ModelRequest
from continuo.parameters import Tool
from continuo.providers.client import ModelClient
from continuo.providers.exchange import Exchange
from tests.continuo.providers.conftest import HELLO, PROTOCOLS, Wire, shape
from tests.continuo.providers.test_client import client

MODEL = Model(id="some-model", provider="openai", name="some-model")


async def billable(
    models: ModelClient, request: ModelRequest = HELLO, *, provider: str = "openai", timeout: float = 5
) -> bool:
    """Ask, whatever comes of it."""
    exchange, model = Exchange(), MODEL.model_copy(update={"provider": provider})
    with suppress(ProviderError):
        await models.complete(model, request, timeout=timeout, idempotency_key="run/1", exchange=exchange)
    return exchange.billable


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_answer_may_be_billed(models: ModelClient, wire: Wire, protocol: str) -> None:
    wire.answers(shape(protocol, "text.json"))
    assert await billable(models, provider=protocol)


async def test_a_request_that_is_never_answered_may_be_billed(models: ModelClient) -> None:
    assert await billable(models, timeout=0.05)


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200", b"SMTP ready\r\n\r\n"])
async def test_a_connection_that_breaks_after_the_request_may_be_billed(
    models: ModelClient, wire: Wire, reply: bytes
) -> None:
    wire.reply = reply
    assert await billable(models)


@pytest.mark.parametrize(("body", "promised"), [("{}", 0), ("no JSON", 0), ("{", 10)])
async def test_a_success_that_holds_no_answer_may_be_billed(
    models: ModelClient, wire: Wire, body: str, promised: int
) -> None:
    wire.answers(body, promised=promised)
    assert await billable(models)


@pytest.mark.parametrize("status", [302, 400, 429, 500])
async def test_an_error_status_is_not_billed(models: ModelClient, wire: Wire, status: int) -> None:
    wire.answers("{}", status)
    assert not await billable(models)


async def test_a_cancelled_request_may_be_billed(models: ModelClient, wire: Wire) -> None:
    exchange = Exchange()
    call = asyncio.create_task(
        models.complete(MODEL, HELLO, timeout=60, idempotency_key="run/1", exchange=exchange),
    )
    await asyncio.wait_for(wire.asked.wait(), 5)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert exchange.billable


async def test_what_was_never_sent_is_not_billed(tmp_path: Path, unused_tcp_port: int, wire: Wire) -> None:
    no_json = HELLO.model_copy(update={"tools": (Tool(name="t", description="\ud800"),)})
    nobody = client(tmp_path, base_url=f"http://127.0.0.1:{unused_tcp_port}")
    illegal = client(tmp_path, base_url=wire.url, key_env="A_KEY", key_header="no header")
    keyless = client(tmp_path, None, base_url=wire.url, key_env="A_KEY")
    asked = [(nobody, HELLO), (nobody, no_json), (illegal, HELLO), (keyless, HELLO)]
    assert [await billable(models, request) for models, request in asked] == [False] * 4
    assert not wire.sent
    for models, _ in asked:
        await models.aclose()
