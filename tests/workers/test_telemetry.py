"""One trace from the starter to the provider, and logs that name their workflow, as an operator's tools get them."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode
from temporalio.exceptions import ActivityError

from continuo.protection.masking import MASK, Masker
from continuo.temporal.masked_spans import MaskedSpans
from continuo.temporal.telemetry import matters
from continuo.testing.processes import Control, pool_process, running
from tests.support.commands import continuo

FAILED = ActivityError(
    "Activity task failed",
    scheduled_event_id=1,
    started_event_id=2,
    identity="pool",
    activity_type="call",
    activity_id="1",
    retry_state=None,
)
KEY = "sk-canary/0123456789\"'abcdef+XYZ"

LOGGING = """
import logging, sys, structlog
from continuo.protection.masking import Masker
from continuo.temporal.telemetry import configure_logging

key = sys.argv[1]
configure_logging("INFO", Masker([key]))
ours, theirs = structlog.get_logger(), logging.getLogger("temporalio.core")
ours.info(f"a {key}", nested={"keys": [key, {key}]})
theirs.error("the core says %s", [key], extra={"told": key})
try:
    raise ValueError(key) from KeyError(key)
except ValueError:
    ours.error("ours", exc_info=True)
    theirs.exception("theirs")
raise ValueError(key)
"""


def test_no_log_line_of_ours_or_of_a_library_holds_a_key() -> None:
    lines = subprocess.run([sys.executable, "-c", LOGGING, KEY], capture_output=True, text=True).stderr
    assert "canary" not in lines
    found = [json.loads(line) for line in lines.splitlines()]
    assert len(found) == 5
    assert all(MASK in json.dumps(line) for line in found)
    assert all(f"ValueError: {MASK}" in line["exception"] for line in found[2:])


@pytest.mark.parametrize(
    ("message", "error", "kept"),
    [
        ("Future exception was never retrieved\nfuture: <Future>", FAILED, False),
        ("Future exception was never retrieved\nfuture: <Future>", ValueError("ours"), True),
        ("Task exception was never retrieved\ntask: <Task>", FAILED, True),
    ],
)
def test_only_a_failure_that_a_cancellation_has_overtaken_is_no_complaint(
    message: str, error: Exception, kept: bool
) -> None:
    record = logging.LogRecord("loop", logging.ERROR, __file__, 1, message, (), (type(error), error, None))
    assert matters(record) is kept


def test_no_span_holds_a_key() -> None:
    exported, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(MaskedSpans(exported, Masker([KEY]))))
    link = Link(SpanContext(1, 1, is_remote=False), {"to": KEY})
    with provider.get_tracer("test").start_as_current_span(KEY, attributes={"keys": [KEY]}, links=[link]) as span:
        span.add_event(KEY, {"key": KEY})
        span.record_exception(ValueError(KEY))
        span.set_status(Status(StatusCode.ERROR, KEY))
    [found] = exported.get_finished_spans()
    assert "canary" not in found.to_json()
    assert (found.context, found.attributes) == (span.get_span_context(), {"keys": [MASK]})
    provider.shutdown()


async def test_one_trace_spans_starter_workflow_activity_and_http(
    client: object, simulator: Control, shop: Control, tmp_path: Path
) -> None:
    log = tmp_path / "pool.log"
    async with running(pool_process("batch", log, OTEL_TRACES_EXPORTER="console")):
        found = await continuo("run", "model:sim-mid", "Hello?", "--priority", "batch", OTEL_TRACES_EXPORTER="console")
    assert found.code == 0, found
    [call] = await simulator.calls()
    _, trace, _, _ = call["traceparent"].split("-")
    starter, worker = (set(re.findall(r'"trace_id": "0x(\w+)"', text)) for text in (found.err, log.read_text()))
    assert trace in starter
    assert trace in worker
    names = re.findall(r'"name": "([^"]+)"', found.err + log.read_text())
    assert {"StartWorkflow:Call", "RunWorkflow:Call", "StartActivity:call", "RunActivity:call", "POST"} <= set(names)


async def test_each_log_line_is_json_and_a_call_names_its_workflow(
    client: object, simulator: Control, shop: Control, tmp_path: Path
) -> None:
    log = tmp_path / "pool.log"
    async with running(pool_process("batch", log)):
        found = await continuo("run", "model:sim-mid", "A secret question", "--priority", "batch", "--json")
    outcome = json.loads(found.out)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    [answered] = [line for line in lines if line["event"] == "call answered"]
    assert (answered["workflow_id"], answered["run_id"]) == (outcome["workflow_id"], outcome["run_id"])
    assert (answered["model"], answered["attempt"]) == ("sim-mid", 1)
    assert "secret question" not in log.read_text(encoding="utf-8")
