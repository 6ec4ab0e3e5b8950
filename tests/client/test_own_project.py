"""The fixtures of `continuo.testing`, used as somebody's own project uses them."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.client.test_page import FIXTURES

PATTERN = """
description: Greets; a fixed text when the model is away.
pattern:
  kind: cached
  step:
    kind: fallback
    steps:
      - {kind: call, model: local, retry: {attempts: 1}}
      - {kind: template, text: Hello all the same.}
"""

TESTS = """
import asyncio

import pytest

from continuo.client import RunFailed
from continuo.patterns import Call, Retry


async def test_awaits(continuo):
    outcome = await continuo.run("greet", "Hello?")
    assert outcome.model == "sim-free"


def test_does_not_await(continuo_sync, continuo_simulator):
    continuo_simulator.behave("sim-free", status=503)
    assert continuo_sync.run("greet", "Hello?").text == "Hello all the same."
    assert len(continuo_simulator.calls()) == 1


@pytest.mark.parametrize("attempt", range(6))
def test_fails(continuo_sync, continuo_simulator, attempt):
    continuo_simulator.behave("sim-free", status=503)
    with pytest.raises(RunFailed, match="503"):
        continuo_sync.run(Call(model="local", retry=Retry(attempts=1)), "Hello?")


@pytest.mark.parametrize("priority", ["critical", "standard", "batch"])
def test_what_failed_in_one_test_answers_in_the_next_at_every_priority(continuo, priority):
    # With a loop of the test's own.
    assert asyncio.run(continuo.run("greet", "Hello?", priority=priority)).tier == 1
"""


@pytest.mark.chaos
async def test_a_project_of_its_own_tests_its_patterns_with_our_fixtures(tmp_path: Path) -> None:
    (tmp_path / "patterns").mkdir()
    (tmp_path / "patterns" / "greet.yaml").write_text(PATTERN, encoding="utf-8")
    conftest, example = FIXTURES
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    (tmp_path / "test_example.py").write_text(example, encoding="utf-8")
    (tmp_path / "test_greet.py").write_text(TESTS, encoding="utf-8")
    # A store and a cluster of the user's own, which no test may reach.
    secret = "DATABASE_URL=postgresql://user@127.0.0.1:1/mine\nREDIS_URL=redis://127.0.0.1:1/0\n"
    (tmp_path / ".env").write_text(f"{secret}OPENAI_API_KEY=sk-mine\nCONTINUO_PATTERNS=patterns\n", encoding="utf-8")
    elsewhere = {"TEMPORAL_ADDRESS": "127.0.0.1:1", "TEMPORAL_NAMESPACE": "mine", "TEMPORAL_API_KEY": "sk-mine"}
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("CONTINUO_", "TEMPORAL_"))}
    arguments = (
        "-q",
        "-W",
        "error",
        "-o",
        "asyncio_mode=auto",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
        "-p",
        "no:cacheprovider",
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", *arguments),
        cwd=tmp_path,
        env={**environ, **elsewhere},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    assert b"13 passed" in out
