"""What is on stdout is the answer and nothing else, whatever is logged meanwhile."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from continuo.starters.app import app
from continuo.testing.processes import Control
from tests.starters.test_cli import GOOD_ORDER
from tests.support.commands import continuo

LONG = "Where is my order? " * 32_000
"""608 KB: above the size from which the SDK's core warns of a payload."""


@pytest.mark.usefixtures("worker", "simulator")
async def test_the_outcome_of_a_long_order_is_json_alone(shop: Control, tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    order = {**json.loads(GOOD_ORDER), "order_id": str(uuid4()), "note": LONG}
    file.write_text(json.dumps(order), encoding="utf-8")
    found = await continuo("order", str(file), "--json")
    assert found.code == 0, found.err
    assert json.loads(found.out)["served_by"] == "service"


@pytest.mark.usefixtures("worker")
async def test_the_end_of_a_long_prompt_and_the_list_of_letters_with_it_are_json_alone(simulator: Control) -> None:
    await simulator.behave("sim-mid", status=400)
    tenant = ("--tenant", f"t-{uuid4()}", "--json")
    run = await continuo("run", "model:sim-mid", "--input", "-", *tenant, stdin=LONG)
    found = await continuo("dead-letters", *tenant)
    assert [run.code, found.code] == [1, 0], (run.err, found.err)
    [letter] = json.loads(found.out)
    assert letter["failure"]["type"] == json.loads(run.out)["type"] == "invalid_request"
    assert letter["job"]["request"]["messages"][0]["content"] == LONG


@pytest.mark.parametrize(
    "command",
    ["breakers --json", "cache list --json", "costs --json", "budget --json", "explain support --json", "schema",
     "recommend --accuracy --json"],
)  # fmt: skip
@pytest.mark.usefixtures("environ")
async def test_every_other_command_prints_json_alone(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert await app.run_async(command.split(), exit_on_error=False, result_action="return_value") == 0
    json.loads(capfd.readouterr().out)
