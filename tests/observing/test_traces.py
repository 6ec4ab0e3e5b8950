"""One trace from the client's `traceparent` to the provider, in the names of OpenTelemetry's conventions."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request as Http
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from temporalio.client import Client
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.testing import ActivityEnvironment

from continuo.activities import observed
from continuo.activities.admission import Admitted
from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door import Door, Request
from continuo.errors import ProviderError
from continuo.jobs import CallRecord, Context, Job, Outcome
from continuo.messages import Message, ModelRequest
from continuo.operations.metrics import Meter
from continuo.patterns import Agent, AgentTool, Call, Python
from continuo.protection.masking import Masker
from continuo.providers.exchange import Exchange
from continuo.starters.gateway import spans
from continuo.starters.gateway.edge import Edge
from continuo.temporal.connect import connect
from continuo.temporal.masked_spans import MaskedSpans
from continuo.testing.processes import Control
from continuo.workers.pool import pool

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ATTRIBUTES = {value for name, value in vars(gen_ai_attributes).items() if name.isupper()}


class Traced:
    """What a process would have sent, and a tracer that sends it."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(MaskedSpans(self._exporter, Masker(()))))
        self.tracer = self.provider.get_tracer("continuo")

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._exporter.get_finished_spans()}


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    traced = Traced()
    monkeypatch.setattr(observed, "tracer", traced.tracer)
    monkeypatch.setattr(spans, "tracer", traced.tracer)
    yield traced
    traced.provider.shutdown()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def trace_ids(spans: Sequence[ReadableSpan]) -> set[str]:
    return {format(span.context.trace_id, "032x") for span in spans if span.context}


async def test_a_request_goes_on_with_the_trace_of_its_client(traced: Traced) -> None:
    async def answer(http: Http) -> Response:
        return PlainTextResponse("fine")

    app = Starlette(routes=[Route("/v1/things/{id}", answer)], middleware=[Middleware(Edge)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http:
        await http.get("/v1/things/7", headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
    span = traced.spans["GET /v1/things/{id}"]
    assert span.parent is not None
    assert (trace_ids([span]), format(span.parent.span_id, "016x")) == ({TRACE}, SPAN)
    assert attributes(span)["http.response.status_code"] == 200


async def test_an_agent_its_tools_and_its_calls_are_in_one_trace_without_what_was_said(
    client: Client, simulator: Control, traced: Traced
) -> None:
    weather = {"name": "weather", "arguments": {"city": "Bern"}}
    await simulator.behave("sim-mid", script=[{"text": "", "calls": [weather]}, {"text": "the-answer", "calls": []}])
    tool = AgentTool(step=Python(function="tests.support.own_code:weather"))
    agent, library = Agent(model=Call(model="mid"), tools={"weather": tool}), Library(Settings(sandbox=False))
    asked = Request(pattern=agent, prompt="the-question", name="traced")
    async with pool(await connect([TracingInterceptor(traced.tracer)]), library, "batch", 5) as worker:
        with traced.tracer.start_as_current_span("client"):
            door = Door(worker.client, library)
            await (await door.submit(asked, Context(tenant="acme", priority="batch"))).result()
    spans = traced.spans
    assert len(trace_ids([*spans.values()])) == 1
    assert attributes(spans["invoke_agent"])["gen_ai.operation.name"] == "invoke_agent"
    executed = attributes(spans["execute_tool tests.support.own_code:weather"])
    assert executed["gen_ai.operation.name"] == "execute_tool"
    call = spans["chat sim-mid"]
    assert call.parent is not None
    assert call.parent.span_id == spans["RunActivity:call"].context.span_id
    values = attributes(call)
    assert {name for name in values if name.startswith("gen_ai.")} <= ATTRIBUTES
    assert values["gen_ai.operation.name"] == "chat"
    assert (values["gen_ai.provider.name"], values["gen_ai.request.model"]) == ("sim-openai", "sim-mid")
    assert values["gen_ai.usage.input_tokens"] > 0
    assert [*values["gen_ai.response.finish_reasons"]] == ["stop"]
    assert values["continuo.cost_usd"] > 0
    assert (values["continuo.tenant"], values["continuo.pattern"]) == ("acme", "traced")
    text = "".join(span.to_json() for span in spans.values())
    assert "the-question" not in text
    assert "the-answer" not in text


def asking(*, content: bool) -> observed.Asking:
    """A request of what is asked of the simulated model."""
    library, request = Library(), ModelRequest(messages=(Message(role="user", content="the-question"),))
    model = library.catalog.models["sim-mid"]
    record = CallRecord(path="", model=model.id, status="lost")
    admitted = Admitted(library.catalog, "run/1", 1, model, request, 0.0, 0.0, 0, record)
    job = Job(step=Call(model="sim-mid"), context=Context(), request=request)
    return observed.Asking(Meter(library), job, admitted, Exchange(), content=content)


@pytest.mark.parametrize("content", [False, True])
async def test_what_was_said_is_in_a_span_only_where_that_is_asked_for(traced: Traced, content: bool) -> None:
    said = Message(role="assistant", content="the-answer")

    async def asks() -> None:
        with asking(content=content).observed() as request:
            request.answered(Outcome(text=said.text, message=said, served_by="model"))

    await ActivityEnvironment().run(asks)
    texts = [attributes(traced.spans["chat sim-mid"]).get(f"gen_ai.{way}.messages") for way in ("input", "output")]
    shown = [text and json.loads(text)[0]["parts"][0]["content"] for text in texts]
    assert shown == (["the-question", "the-answer"] if content else [None, None])


async def test_a_request_that_fails_says_how_and_never_what(traced: Traced) -> None:
    async def asks() -> None:
        with asking(content=False).observed():
            raise ProviderError("timeout", "nothing came for the-question")

    with pytest.raises(ProviderError):
        await ActivityEnvironment().run(asks)
    span = traced.spans["chat sim-mid"]
    assert (attributes(span)["error.type"], span.status.description, span.events) == ("timeout", "timeout", ())
    assert "the-question" not in span.to_json()
