"""docs/deploying.md names services, files and commands that there are."""

import re

from tests.deploying.files import KUBERNETES, SERVICES, arguments, commands
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def test_every_command_of_ours_is_taken() -> None:
    lines = [line[line.index("continuo keys") :].split() for line in LINES if "continuo keys" in line]
    assert len(lines) == 2
    for line in lines:
        arguments(next(commands(line)))


def test_compose_is_asked_for_services_that_there_are() -> None:
    ups = [line for line in LINES if line.startswith("docker compose up")]
    named = {name for line in ups for name in re.findall(r"(?:--scale| up .*--no-deps) ([\w ]+)", line)}
    assert {word for words in named for word in words.split()} == {"gateway", "critical", "standard", "batch"}
    assert {"gateway", "critical", "standard", "batch"} <= {*SERVICES}


def test_every_manifest_is_in_the_page_and_every_file_of_the_page_is_there() -> None:
    for path in re.findall(r"deploy/(?:kubernetes|compose|grafana|\w+\.)[\w./]*", PAGE):
        assert (ROOT / path).exists(), path
    files = {str(path.relative_to(KUBERNETES)) for path in KUBERNETES.rglob("*.yml")}
    assert [name for name in sorted(files) if name not in PAGE] == []
