"""The client without `await`: in a script, in a thread, and where an event loop runs."""

import asyncio
from pathlib import Path

import pytest

from continuo.client import InputError, RunFailed
from continuo.client.sync import Continuo
from continuo.testing.processes import Control
from tests.client.scripts import script

pytestmark = pytest.mark.usefixtures("worker", "simulator")

ASKED = """
with Continuo.connect() as continuo:
    print(continuo.run("support", "Where is my order?", tenant="acme").tier)
"""

SCRIPT = f"""
import asyncio
import sys
from continuo.client.sync import Continuo
{ASKED}
print([name for name in sys.modules if name.startswith(("continuo.workflows", "continuo.activities"))])

async def main():
{ASKED.replace(chr(10), chr(10) + "    ")}

asyncio.run(main())
"""


async def test_it_works_in_a_script_which_loads_neither_workflows_nor_activities_and_where_an_event_loop_runs() -> None:
    assert await script(SCRIPT) == "1\n[]\n1\n"


async def test_it_works_in_a_thread(simulator: Control) -> None:
    await simulator.behave("sim-free", status=400)
    await asyncio.to_thread(in_a_thread)


def in_a_thread() -> None:
    with Continuo.connect() as continuo:
        run = continuo.start("support", "Hello?", id="sync")
        assert continuo.get(run.id).result() == run.result()
        assert "".join(run.stream()) == run.result().text
        assert run.progress().steps[0].status == "done"
        with pytest.raises(RunFailed, match="400"):
            continuo.run("model:sim-free", "Hello?")
        with pytest.raises(InputError, match="did you mean 'support'"):
            continuo.run(Path("suport"), "Hello?")


async def test_two_threads_share_one_client() -> None:
    with Continuo.connect() as continuo:
        texts = [asyncio.to_thread(lambda: continuo.run("answer", "Hello?").text) for _ in range(2)]
        assert len(await asyncio.gather(*texts)) == 2
