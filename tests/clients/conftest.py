"""A gateway that knows the models which the clients ask, and what these do."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from continuo.config.settings import Settings
from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess, served_gateway

CITY = {"name": "Rome", "people": 2_800_000}
SCRIPTS: dict[str, dict[str, object]] = {
    "text": {"text": "Your order is on its way, and it will be there tomorrow."},
    "tool": {"text": "It is sunny in Rome.", "tool_call": {"name": "weather", "arguments": {"city": "Rome"}}},
    # The tool by which some clients ask for what has a schema.
    "json": {"text": json.dumps(CITY), "tool_call": {"name": "final_result", "arguments": CITY}},
    "magic": {"tool_call": {"name": "magic_function", "arguments": {"input": 3}}},
    "busy": {"status": 429},
    "wrong": {"status": 400},
}
STRAIGHT: dict[str, dict[str, object]] = {"missing": {"status": 404}, "locked": {"status": 401}}
"""What the gateway itself does: it has no such model, and the key is none of its own."""

PROVIDERS = ("openai", "anthropic")


@pytest.fixture(scope="session")
def known_models(environ: pytest.MonkeyPatch) -> None:
    """Before any process reads the catalog."""
    models = (f'[models.{name}-{does}]\nprovider = "sim-{name}"\n' for name in PROVIDERS for does in SCRIPTS)
    with Settings().catalog.open("a", encoding="utf-8") as catalog:
        catalog.write("\n".join(models))


@pytest.fixture(scope="session")
async def gateway(folder: Path, known_models: None, worker: None) -> AsyncIterator[GatewayProcess]:
    async with served_gateway(folder / "clients-gateway.log") as gateway:
        yield gateway


@pytest.fixture
async def scripted(simulator: Control) -> Control:
    """The simulated provider, with what every model of the clients does."""
    for provider in PROVIDERS:
        for does, behaviour in {**SCRIPTS, **STRAIGHT}.items():
            await simulator.behave(f"{provider}-{does}", **behaviour)
    return simulator
