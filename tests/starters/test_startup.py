"""What a command loads: what it does not need costs a person time at every start."""

import re
import subprocess
import sys

import pytest

from continuo.starters.app import COMMANDS, app

HEAVY = {
    "fastapi", "httpx", "markdown_it", "numpy", "opentelemetry", "phonenumbers", "psycopg", "redis", "stdnum",
    "structlog", "temporalio", "uvicorn",
}  # fmt: skip


def loaded(*arguments: str, code: int = 0) -> set[str]:
    """The packages that the command loads, which ends with that exit code."""
    command = [sys.executable, "-X", "importtime", "-m", "continuo", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    return {name.strip().partition(".")[0] for name in re.findall(r"^import time:.*\|(.*)$", done.stderr, re.MULTILINE)}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]], ids=" ".join)
def test_help_loads_neither_models_of_data_nor_any_command(arguments: list[str]) -> None:
    packages = loaded(*arguments)
    assert "cyclopts" in packages
    assert packages & (HEAVY | {"asyncio", "pydantic", "yaml"}) == set()


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize("arguments", [["patterns"], ["models"], ["schema"], ["explain", "support"]], ids=" ".join)
def test_what_needs_no_server_loads_nothing_that_speaks_with_one(arguments: list[str]) -> None:
    packages = loaded(*arguments)
    assert "pydantic" in packages
    assert packages & HEAVY == set()


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize(
    "arguments",
    [["run", "support", "--nope"], ["run", "nope", "hello"], ["runs", "--since", "never"]],
    ids=" ".join,
)
def test_a_mistake_is_told_without_what_speaks_with_a_server(arguments: list[str]) -> None:
    assert loaded(*arguments, code=2) & HEAVY == set()


def test_no_command_loads_it_before_it_has_read_its_options() -> None:
    names = sorted({path.partition(":")[0] for path in COMMANDS})
    script = (
        "import sys; from importlib import import_module\n"
        "for name in sys.argv[1:]:\n"
        "    import_module(f'continuo.starters.commands.{name}')\n"
        "    print(name, *{module.partition('.')[0] for module in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script, *names], capture_output=True, text=True, check=True)
    packages = {line.split()[0]: {*line.split()[1:]} & HEAVY for line in done.stdout.splitlines()}
    assert packages == {name: set() for name in names}


@pytest.mark.parametrize("path", COMMANDS)
def test_the_table_of_commands_says_what_each_says_of_itself(path: str) -> None:
    command = app[path.partition(":")[2].replace("_", "-")]
    assert command.help.partition("\n\n")[0].replace("\n", " ") == COMMANDS[path]


@pytest.mark.usefixtures("environ")
def test_a_reader_that_has_gone_ends_a_command_quietly() -> None:
    script = f'"{sys.executable}" -m continuo models | true; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")
