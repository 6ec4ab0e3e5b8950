"""Each client sees through the gateway what it sees straight at a provider."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from continuo.testing.processes import Control
from tests.clients.environments import HERE, environment, node, printed, python
from tests.support.gateway import GatewayProcess

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]

Seen = dict[str, dict[str, Any]]


async def compared(gateway: GatewayProcess, simulator: Control, folder: Path, *line: str | Path) -> None:
    """What the provider has no word for, the Responses API, is compared with Chat Completions."""

    async def seen(url: str, key: str, **more: str) -> Seen:
        code, out, err = await printed(*line, folder=folder, env=environment(url, key, folder, **more))
        assert code == 0, err[-3000:]
        result: Seen = json.loads(out)
        return result

    straight = await seen(simulator.url, "sk-any")
    through = await seen(gateway.url, gateway.secret, CLIENT_RESPONSES="1")
    expected = straight | ({"responses": straight["chat"]} if "responses" in through else {})
    assert through == expected


@pytest.mark.parametrize("package", ["langchain", "pydantic_ai", "openai_agents", "llm"])
async def test_a_client_sees_the_same_straight_and_through_the_gateway(
    gateway: GatewayProcess, scripted: Control, tmp_path: Path, package: str
) -> None:
    script = HERE / "scripts" / f"with_{package}.py"
    await compared(gateway, scripted, tmp_path, await python(package), script)


async def test_the_ai_sdk_sees_the_same_straight_and_through_the_gateway(
    gateway: GatewayProcess, scripted: Control, tmp_path: Path
) -> None:
    installed = await node()
    # Node looks for packages beside the script.
    script = shutil.copy(HERE / "node" / "with_ai_sdk.mjs", installed)
    await compared(gateway, scripted, tmp_path, "node", script)
