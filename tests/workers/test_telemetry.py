"""One trace from the starter to the provider, and logs that name their workflow, as an operator's tools get them."""

import json
import re
from pathlib import Path

from tests.starters.test_cli import continuo
from tests.support import Control, pool_process, running


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
