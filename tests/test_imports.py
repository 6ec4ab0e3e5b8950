"""Who may import whom, read from the source: continuo <- activities <- workflows <- workers, starters."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from continuo.config.settings import ROOT
from continuo.patterns import KINDS

MAY_IMPORT = {
    "continuo": set(),
    "activities": {"continuo"},
    "workflows": {"continuo", "activities"},
    "workers": {"continuo", "activities", "workflows"},
    "starters": {"continuo", "workflows", "workers"},
    "simulator": set(),
    "examples": {"simulator"},
}
ROOMS = ("patterns", "config", "decisions", "protection", "authoring", "operations", "providers", "stores")
"""Of `continuo`: each imports only those before it."""

PATTERNS = {kind.model_fields["kind"].default for kind in KINDS}


def modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    forbidden = MAY_IMPORT.keys() - MAY_IMPORT[package] - {package}
    found = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in (ROOT / package).rglob("*.py")
        for module in modules(path)
        if module.split(".")[0] in forbidden
    ]
    assert found == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_of_the_domain_imports_only_those_before_it(room: str) -> None:
    later = ROOMS[ROOMS.index(room) + 1 :]
    found = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in (ROOT / "continuo" / room).rglob("*.py")
        for module in modules(path)
        if module.startswith("continuo.") and module.split(".")[1] in later
    ]
    assert found == []


def test_the_architecture_names_every_folder() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    packages = {path.parent.name for path in (*ROOT.glob("*/__init__.py"), *(ROOT / "continuo").glob("*/__init__.py"))}
    assert packages <= named
    assert [name for name in named if not (ROOT / name).is_dir() and name not in ROOMS] == []


def test_the_domain_knows_nothing_of_temporal() -> None:
    paths = (ROOT / "continuo").rglob("*.py")
    assert [path for path in paths if any(module.startswith("temporalio") for module in modules(path))] == []


def test_patterns_never_import_each_other() -> None:
    found = [
        (pattern, module)
        for pattern in PATTERNS
        for module in modules(ROOT / "workflows" / f"{pattern}.py")
        if module.removeprefix("workflows.") in PATTERNS
    ]
    assert found == []
