"""What the container files start and copy is there. They cannot be built here."""

import re
from importlib.util import find_spec
from pathlib import Path

import yaml

from tests.support.repository import ROOT


def test_every_service_starts_a_module_that_exists() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"].values()
    commands = [service["command"] for service in services if service.get("command", [""])[0] == "python"]
    assert commands
    assert [module for _, _, module, *_ in commands if find_spec(module) is None] == []


def test_the_image_copies_files_that_exist() -> None:
    lines = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    sources = [source for line in lines for source in line.split()]
    assert sources
    assert [source for source in sources if not Path(ROOT / source).exists()] == []
