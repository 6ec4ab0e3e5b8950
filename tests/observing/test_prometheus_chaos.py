"""A real Prometheus over the real processes of a stack: each panel has data, and a trace goes all the way."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from continuo.testing.processes import Control, until
from continuo.workers.local.ports import Ports
from continuo.workers.local.processes import Child
from continuo.workers.local.stack import Stack
from tests.observing.test_deploy import DASHBOARDS, DEPLOY, panels

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        shutil.which("prometheus") is None, reason="there is no prometheus here: apt-get install prometheus"
    ),
]

TRACE = "0af7651916cd43dd8448eb211c80319c"
TENANTS = "[tenants.default]\ndaily_usd = 10.0\n"


@pytest.fixture
def sent(httpserver: HTTPServer) -> list[Span]:
    """The spans that came to an OTLP receiver."""
    spans: list[Span] = []

    def receive(request: Request) -> Response:
        message = ExportTraceServiceRequest.FromString(request.get_data())
        spans.extend(span for one in message.resource_spans for scope in one.scope_spans for span in scope.spans)
        return Response(status=200)

    httpserver.expect_request("/v1/traces").respond_with_handler(receive)
    return spans


@pytest.fixture
async def stack(
    environ: pytest.MonkeyPatch, tmp_path: Path, httpserver: HTTPServer, sent: list[Span]
) -> AsyncIterator[Stack]:
    (tmp_path / "tenants.toml").write_text(TENANTS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TEMPORAL_ADDRESS", "CONTINUO_SIM_URL", "CONTINUO_SHOP_URL", "CONTINUO_RULES"):
            patch.delenv(name, raising=False)
        (tmp_path / "catalog.toml").write_text("[models.sim-mid]\nretires = 9999-12-31\n", encoding="utf-8")
        patch.setenv("CONTINUO_CATALOG", str(tmp_path / "catalog.toml"))
        patch.setenv("CONTINUO_TENANTS", str(tmp_path / "tenants.toml"))
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", httpserver.url_for("/").rstrip("/"))
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        async with Stack(Ports(0, 0, 0, 0, 0, 0), tmp_path / "data") as stack:
            yield stack


def configuration(stack: Stack, folder: Path) -> Path:
    """That of deploy/, with the addresses of the stack, looking more often."""
    config: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
    gateway, pools = config["scrape_configs"]
    config["global"]["scrape_interval"] = "1s"
    config["rule_files"] = [str(DEPLOY / "alerts.yml")]
    (folder / "key").write_text(stack.environment["CONTINUO_GATEWAY_KEY"], encoding="utf-8")
    gateway["authorization"]["credentials_file"] = str(folder / "key")
    gateway["static_configs"][0]["targets"] = [stack.environment["CONTINUO_GATEWAY_URL"].removeprefix("http://")]
    urls = stack.environment["CONTINUO_METRICS_URLS"].split(",")
    pools["static_configs"][0]["targets"] = [url.removeprefix("http://").removesuffix("/metrics") for url in urls]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.fixture
async def provider(stack: Stack) -> AsyncIterator[Control]:
    async with aclosing(Control(stack.environment["CONTINUO_SIM_URL"])) as control:
        yield control


@pytest.fixture
async def prometheus(stack: Stack, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    options = {
        "config.file": configuration(stack, tmp_path),
        "storage.tsdb.path": tmp_path / "series",
        "web.listen-address": address,
    }
    line = ["prometheus", *(f"--{name}={value}" for name, value in options.items())]
    child = Child("prometheus", line, tmp_path / "prometheus.log", "ready to receive", {})
    await child.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}") as http:
            yield http
    finally:
        await child.stop()


async def asked(stack: Stack, simulator: Control) -> None:
    """Something of all that a panel shows."""
    headers = {"authorization": f"Bearer {stack.environment['CONTINUO_GATEWAY_KEY']}"}
    async with httpx.AsyncClient(
        base_url=stack.environment["CONTINUO_GATEWAY_URL"], headers=headers, timeout=60
    ) as http:

        async def ask(model: str, text: str, **fields: Any) -> int:
            body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
            traced = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"} if text == "traced" else {}
            return (await http.post("/v1/chat/completions", json=body, headers=traced)).status_code

        await simulator.behave("sim-premium", status=500)
        await asyncio.gather(
            ask("model:sim-mid", "traced"),
            ask("model:sim-mid", "Hello, I am ada@example.com", stream=True),
            *(ask("support", f"Where is my order {number}?") for number in range(3)),
            *(ask("pro-to-flash", f"What is {number}?") for number in range(3)),
            ask("model:sim-premium", "this fails"),
        )
        for _ in range(2):
            await ask("chatbot", "How do I get a refund?")


async def empty_panels(prometheus: httpx.AsyncClient) -> list[str]:
    empty = []
    for path in DASHBOARDS:
        for title, query in panels(path):
            expression = query.replace("$__rate_interval", "1m").replace("$pattern", ".*")
            answer = (await prometheus.get("/api/v1/query", params={"query": expression})).json()
            assert answer["status"] == "success", (title, answer)
            if not answer["data"]["result"]:
                empty.append(title)
    return empty


def named(spans: list[Span]) -> Iterator[str]:
    return (span.name for span in spans if span.trace_id.hex() == TRACE)


async def test_every_panel_has_data_and_a_trace_goes_from_the_client_to_the_provider(
    stack: Stack, provider: Control, prometheus: httpx.AsyncClient, sent: list[Span]
) -> None:
    await asked(stack, provider)
    remaining: list[str] = []

    async def all_have_data() -> bool:
        remaining[:] = await empty_panels(prometheus)
        return not remaining

    try:
        await until(all_have_data)
    except TimeoutError:
        assert remaining == []
    targets = (await prometheus.get("/api/v1/targets")).json()["data"]["activeTargets"]
    assert [target["health"] for target in targets] == ["up"] * 4

    async def arrived() -> bool:
        return {"POST /v1/chat/completions", "chat sim-mid"} <= {*named(sent)}

    await until(arrived)
    calls = await provider.calls("sim-mid")
    assert any(TRACE in (call["traceparent"] or "") for call in calls)
