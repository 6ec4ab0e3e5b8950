"""What docs/gateway.md shows is what happens."""

import asyncio
import re
import sys

import pytest

from continuo.activities import posting
from continuo.config.settings import Settings
from continuo.parts import MAX_MEDIA_BYTES
from continuo.protection.webhooks import SHORTEST
from continuo.starters.commands import gateway as command
from continuo.starters.gateway import edge, protocol
from continuo.starters.gateway.app import ROUTES
from continuo.stores.requests import KEPT
from continuo.wire.completions.request import MAX_TOKENS
from continuo.wire.embeddings import MOST
from continuo.workers.following import INTERVAL
from continuo.workers.local.ports import Ports
from tests.support.gateway import GatewayProcess
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")


async def test_its_python_gets_an_answer(gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    [text] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.setenv("CONTINUO_GATEWAY_URL", gateway.url)
    monkeypatch.setenv("CONTINUO_GATEWAY_KEY", gateway.secret)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", text, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert re.search(r" \d[\d.e-]*$", out.decode().strip())


def test_every_path_is_named() -> None:
    assert [route.path for route in ROUTES if route.path.replace(":path", "") not in PAGE] == []


def test_its_figures_are_those_of_the_code() -> None:
    assert f"at most {edge.MAX_BODY // 1024**2} MiB, its media {MAX_MEDIA_BYTES // 10**6} MB" in PAGE
    assert f"and {edge.BODY_TIME:.0f} seconds to come" in PAGE
    assert f"`max_tokens` {MAX_TOKENS} if left out" in PAGE
    assert f"up to {MOST:,} texts" in PAGE
    assert f"a request's head {protocol.MAX_HEAD // 1024} KiB and {protocol.HEAD_TIME:.0f} seconds" in PAGE
    assert f"serves {command.AT_ONCE:,} connections" in PAGE
    assert f"requests have {command.DRAIN} seconds to end" in PAGE
    assert f"for {KEPT / 3600:.0f} hours" in PAGE
    assert f"on port {Ports.gateway}" in PAGE
    text = " ".join(PAGE.split())
    assert f"after {posting.SECONDS:.0f} seconds it is tried again" in text
    assert f"after {Settings.model_fields['webhook_pause'].default} seconds and twice as long each time" in text
    assert f"`CONTINUO_WEBHOOK_KEY`, {SHORTEST} random characters" in text
    assert f"within the last {INTERVAL:.0f} seconds" in text
