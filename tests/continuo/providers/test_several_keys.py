"""A provider with several keys, against the simulated one, which refuses some of them."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from continuo.config.catalog import Catalog, Model
from continuo.errors import ProviderError
from continuo.messages import ModelResponse
from continuo.protection.masking import Masker
from continuo.providers.client import ModelClient
from continuo.providers.exchange import Exchange
from continuo.testing.processes import Control
from tests.continuo.providers.conftest import HELLO

KEYS = ("sk-first-0001", "sk-second-0002", "sk-third-0003")
FIRST, SECOND, THIRD = KEYS
EVERY = {
    "openai": {"protocol": "openai", "base_url_env": "SIM", "path": "/v1", "key_env": "A_KEY"},
    "anthropic": {"protocol": "anthropic", "base_url_env": "SIM", "path": "/v1", "key_env": "A_KEY"},
    "google": {"protocol": "google", "base_url_env": "SIM", "path": "/v1beta", "key_env": "A_KEY"},
}


@pytest.fixture
async def variables(simulator: Control) -> dict[str, str]:
    return {"SIM": simulator.url, "A_KEY": f"{FIRST}, {SECOND}\n{THIRD}"}


@pytest.fixture
async def models(variables: dict[str, str], tmp_path: Path) -> AsyncIterator[ModelClient]:
    client = ModelClient(Catalog.model_validate({"providers": EVERY, "models": {}}), variables, tmp_path, Masker(KEYS))
    yield client
    await client.aclose()


async def ask(models: ModelClient, provider: str = "openai", exchange: Exchange | None = None) -> ModelResponse:
    model = Model(id="m", provider=provider, name="m")
    return await models.complete(model, HELLO, timeout=10, idempotency_key="run/1", exchange=exchange)


async def used(simulator: Control) -> list[tuple[str, int]]:
    """The key's last character and the status of each request, all of which must be of one identity."""
    calls = await simulator.calls()
    assert {call["idempotency_key"] for call in calls} == {"run/1"}
    return [(call["key"][-1:], call["status"]) for call in calls]


async def test_keys_take_their_turn(models: ModelClient, simulator: Control) -> None:
    for _ in range(4):
        await ask(models)
    assert await used(simulator) == [("1", 200), ("2", 200), ("3", 200), ("1", 200)]


@pytest.mark.parametrize("provider", EVERY)
@pytest.mark.parametrize("status", [401, 403])
async def test_a_bad_key_is_set_aside_and_the_next_one_answers_the_same_attempt(
    models: ModelClient, simulator: Control, provider: str, status: int
) -> None:
    await simulator.behave("m", keys={FIRST: status}, text="hello")
    exchange = Exchange()
    with capture_logs() as logs:
        answer = await ask(models, provider, exchange)
    assert (answer.message.text, exchange.billable) == ("hello", True)
    await ask(models, provider)
    assert await used(simulator) == [("1", status), ("2", 200), ("3", 200)]
    [line] = logs
    assert (line["key"], line["status"]) == ("1 of 3", status)
    assert not any(key in str(line) for key in KEYS)


async def test_a_stream_goes_on_with_the_next_key_too(models: ModelClient, simulator: Control) -> None:
    await simulator.behave("m", keys={FIRST: 401}, text="hello")
    model = Model(id="m", provider="openai", name="m")
    async with aclosing(models.stream(model, HELLO, timeout=10, idempotency_key="run/1")) as pieces:
        *_, last = [piece async for piece in pieces]
    assert isinstance(last, ModelResponse)
    assert last.message.text == "hello"


async def test_a_rate_that_is_used_up_is_tried_with_one_more_key_only(models: ModelClient, simulator: Control) -> None:
    await simulator.behave("m", keys={FIRST: 429}, retry_after=60)
    await ask(models)
    assert await used(simulator) == [("1", 429), ("2", 200)]
    await simulator.behave("m", keys=dict.fromkeys(KEYS, 429), retry_after=60)
    with pytest.raises(ProviderError, match="openai: 429") as caught:
        await ask(models)
    assert (caught.value.retryable, caught.value.retry_after) == (True, 60)
    assert (await used(simulator))[2:] == [("3", 429), ("2", 429)]


async def test_where_all_keys_are_bad_the_error_is_the_ordinary_one_masked(
    models: ModelClient, simulator: Control
) -> None:
    await simulator.behave("m", keys=dict.fromkeys(KEYS, 401))
    exchange = Exchange()
    with pytest.raises(ProviderError, match=r"openai: 401 the key \*\*\* is refused") as caught:
        await ask(models, exchange=exchange)
    assert (caught.value.kind, caught.value.retryable, exchange.billable) == ("unauthorized", False, False)
    # From then on one request tells whether the oldest one is good again.
    with pytest.raises(ProviderError):
        await ask(models)
    assert await used(simulator) == [("1", 401), ("2", 401), ("3", 401), ("1", 401)]


async def test_a_limit_that_passes_says_more_than_a_bad_key(models: ModelClient, simulator: Control) -> None:
    await simulator.behave("m", keys={FIRST: 429, SECOND: 401, THIRD: 401})
    with pytest.raises(ProviderError, match="openai: 429") as caught:
        await ask(models)
    assert caught.value.retryable


async def test_an_error_that_is_not_about_the_key_is_not_tried_with_another(
    models: ModelClient, simulator: Control
) -> None:
    await simulator.behave("m", keys={FIRST: 503})
    with pytest.raises(ProviderError, match="openai: 503"):
        await ask(models)
    assert await used(simulator) == [("1", 503)]


async def test_a_key_that_no_header_can_carry_is_left_out(
    models: ModelClient, simulator: Control, variables: dict[str, str]
) -> None:
    variables["A_KEY"] = f"sk-é,{SECOND}"
    for _ in range(2):
        await ask(models)
    assert await used(simulator) == [("2", 200)] * 2


async def test_keys_that_are_changed_are_used_by_the_next_call(
    models: ModelClient, simulator: Control, variables: dict[str, str]
) -> None:
    await simulator.behave("m", keys=dict.fromkeys(KEYS, 401))
    variables["A_KEY"] = "sk-new-0009"
    await ask(models)
    assert await used(simulator) == [("9", 200)]
