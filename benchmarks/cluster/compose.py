"""What docker-compose.yml says of a service."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]


def replicas(service: str) -> int:
    number: int = _SERVICES[service]["deploy"]["replicas"]
    return number


def options(service: str) -> Sequence[str]:
    """Its command line, without the name of the program."""
    line: list[str] = _SERVICES[service]["command"]
    return line[1:]
