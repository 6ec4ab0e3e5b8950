"""Keys that change while pools and gateways run."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from temporalio.client import Client

from continuo.door.runs import result
from continuo.jobs import Outcome
from continuo.patterns import Call, Retry, Template
from continuo.testing.processes import Control, begin, job, pool_process, python, running, until
from tests.support.config_files import written_catalog

OLD, BAD, NEW = (f"sk-{name}-canary-0123456789-{name}" for name in ("old", "bad", "new"))

ONCE = Retry(attempts=1)

KEYED = """
[providers.keyed]
protocol = "openai"
base_url = "{url}/v1"
key_env = "KEYED"

[models.keyed]
provider = "keyed"
price = {{ input = 1.0, output = 1.0, source = "simulated", date = 2026-11-27 }}
"""


async def test_a_pool_that_is_told_uses_the_new_keys_of_a_command_and_shows_none(
    client: Client, simulator: Control, tmp_path: Path
) -> None:
    await simulator.behave("keyed", text=f"your keys are {OLD} and {NEW}", keys={BAD: 401})
    catalog, vault = written_catalog(tmp_path), tmp_path / "vault.py"
    with catalog.open("a", encoding="utf-8") as file:
        file.write(KEYED.format(url=simulator.url))

    def hold(*keys: str) -> None:
        vault.write_text(f"import sys\nprint({OLD!r}, file=sys.stderr)\nprint({chr(10).join(keys)!r})\n")

    hold(OLD)
    variables = {"CONTINUO_CATALOG": str(catalog), "CONTINUO_DATA": str(tmp_path / "data")}
    process = pool_process("batch", tmp_path / "log", KEYED_COMMAND=f"{sys.executable} -S {vault}", **variables)

    told = 0

    async def read_again() -> bool:
        return process.log.read_text().count("keys were read again") == told

    async with running(process):
        # The model is in the catalog of that pool alone.
        asked = job(Template(text="x"), priority="batch").model_copy(update={"step": Call(model="keyed", retry=ONCE)})
        found = []
        for keys in ((OLD,), (NEW, BAD), (NEW,), ("",)):
            if keys != (OLD,):
                hold(*keys)
                told += 1
                os.kill(process.pid, signal.SIGHUP)
                await until(read_again)
            outcome = await result(await begin(client, asked))
            assert isinstance(outcome, Outcome), outcome
            [call] = outcome.calls
            assert (call.attempts, call.status) == (1, "ok")
            found.append((outcome.text, round((call.cost_usd or 0) * 1e6)))
    # The new key was not known when the old one answered.
    assert found[0][0] == f"your keys are *** and {NEW}"
    assert {text for text, _ in found[1:]} == {"your keys are *** and ***"}
    assert len({cost for _, cost in found}) == 1
    calls = await simulator.calls("keyed")
    assert [(call["key"], call["status"]) for call in calls] == [
        (OLD[-4:], 200), (BAD[-4:], 401), (NEW[-4:], 200), (NEW[-4:], 200), (NEW[-4:], 200)
    ]  # fmt: skip
    assert [call["idempotency_key"] for call in calls[1:3]] == [calls[1]["idempotency_key"]] * 2
    log = process.log.read_text()
    assert "canary" not in log
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["event"] for line in lines if line["level"] == "warning"] == [
        "a key was refused", "KEYED_COMMAND: it is empty; what was read before stays"
    ]  # fmt: skip


@pytest.mark.chaos
@pytest.mark.usefixtures("client")
async def test_each_process_of_a_gateway_is_told(tmp_path: Path) -> None:
    arguments = ("gateway", "--port", "0", "--processes", "2")
    log = tmp_path / "log"
    gateway = python("continuo", *arguments, ready="gateway ready", log=log)

    def seen(event: str) -> int:
        return log.read_text().count(event)

    async def both(event: str) -> bool:
        return seen(event) == 2

    async with running(gateway):
        await until(lambda: both("gateway ready"))
        os.kill(gateway.pid, signal.SIGHUP)
        await until(lambda: both("keys were read again"))
        assert gateway.process is not None
        assert gateway.process.returncode is None
    assert seen("gateway ready") == 2
