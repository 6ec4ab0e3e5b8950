"""Each client sees through the gateway what it sees straight at a provider."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from continuo.testing.processes import Control
from tests.clients.environments import HERE, environment, node, printed, python
from tests.support.gateway import GatewayProcess
from tests.support.repository import ROOT

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

Seen = dict[str, dict[str, Any]]


async def compared(gateway: GatewayProcess, simulator: Control, folder: Path, *line: str | Path) -> Seen:
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
    return through


CLIENTS = {
    "langchain": "LangChain",
    "pydantic_ai": "Pydantic AI",
    "openai_agents": "OpenAI Agents",
    "llm": "llm",
}
"""The package of each, and its section in docs/clients.md."""


def shown(section: str, language: str) -> str:
    """The example of the section."""
    page = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    [text] = re.findall(rf"## {section}\n.*?```{language}\n(.*?)```", page, re.DOTALL)
    return str(text)


@pytest.mark.parametrize("package", CLIENTS)
async def test_a_client_sees_the_same_straight_and_through_the_gateway(
    gateway: GatewayProcess, scripted: Control, tmp_path: Path, package: str
) -> None:
    script = HERE / "scripts" / f"with_{package}.py"
    await compared(gateway, scripted, tmp_path, await python(package), script)


async def test_langchains_standard_tests_come_to_the_same_straight_and_through_the_gateway(
    gateway: GatewayProcess, scripted: Control, tmp_path: Path
) -> None:
    seen = await compared(
        gateway, scripted, tmp_path, await python("langchain"), HERE / "scripts" / "standard_langchain.py"
    )
    passed = [test for suite in seen.values() for test, outcome in suite.items() if outcome == "passed"]
    assert len(passed) > 50


async def test_the_ai_sdk_sees_the_same_straight_and_through_the_gateway(
    gateway: GatewayProcess, scripted: Control, tmp_path: Path
) -> None:
    installed = await node()
    # Node looks for packages beside the script.
    script = shutil.copy(HERE / "node" / "with_ai_sdk.mjs", installed)
    await compared(gateway, scripted, tmp_path, "node", script)


@pytest.mark.usefixtures("simulator", "shop")
@pytest.mark.parametrize("package", [name for name in CLIENTS if name != "llm"])
async def test_the_page_shows_how_to_ask(gateway: GatewayProcess, tmp_path: Path, package: str) -> None:
    line = (await python(package), "-c", shown(CLIENTS[package], "python"))
    code, out, err = await printed(*line, folder=tmp_path, env=environment(gateway.url, gateway.secret, tmp_path))
    assert code == 0, err[-3000:]
    assert "simulated" in out


@pytest.mark.usefixtures("simulator", "shop")
async def test_the_page_shows_how_llm_asks(gateway: GatewayProcess, tmp_path: Path) -> None:
    models = shown("llm", "yaml").replace("http://127.0.0.1:8379", gateway.url)
    (tmp_path / "extra-openai-models.yaml").write_text(models, encoding="utf-8")
    env = environment(gateway.url, gateway.secret, tmp_path)
    llm = (await python("llm"), "-m", "llm")
    set_key, ask = (shlex.split(line)[1:] for line in shown("llm", "sh").splitlines())
    for line in ([*set_key, "--value", gateway.secret], ask):
        code, out, err = await printed(*llm, *line, folder=tmp_path, env=env)
        assert code == 0, err[-3000:]
    assert "simulated" in out


@pytest.mark.usefixtures("simulator", "shop")
async def test_the_page_shows_how_the_ai_sdk_asks(gateway: GatewayProcess, tmp_path: Path) -> None:
    script = await node() / "page.mjs"
    script.write_text(shown("Vercel AI SDK", "js"), encoding="utf-8")
    code, out, err = await printed(
        "node", script, folder=tmp_path, env=environment(gateway.url, gateway.secret, tmp_path)
    )
    assert code == 0, err[-3000:]
    assert "simulated" in out
