"""Who may import whom, read from the source."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from continuo.patterns import KINDS, Named
from tests.support.repository import ROOT

ROOMS = (
    "patterns", "config", "decisions", "evaluation", "protection", "guardrails", "authoring", "operations", "providers",
    "stores", "tools", "access", "temporal", "door", "observing", "wire", "client", "activities", "workflows",
    "workers", "starters", "testing",
)  # fmt: skip
"""Each imports only those before it, and the words of the top, which import no room."""

DOMAIN = ROOMS[: ROOMS.index("temporal")]
WORDS = {path.stem for path in (ROOT / "continuo").glob("*.py")} - {"__main__"}

PATTERNS = {kind.model_fields["kind"].default for kind in KINDS if kind is not Named}
"""Those that a workflow sees; another pattern stands in the place of a named one."""


def modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def imported(*places: str) -> list[tuple[str, str]]:
    """What the files of these rooms, or these files, import, as file and module."""
    roots = [ROOT / "continuo" / place for place in places]
    paths = [path for root in roots for path in (root.rglob("*.py") if root.is_dir() else [root.with_suffix(".py")])]
    return [(str(path.relative_to(ROOT)), module) for path in paths for module in modules(path)]


def test_every_folder_is_a_room() -> None:
    folders = {path.parent.name for path in (ROOT / "continuo").glob("*/__init__.py")}
    assert folders == {*ROOMS, "simulator"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_those_before_it(room: str) -> None:
    later = {*ROOMS[ROOMS.index(room) + 1 :], "simulator"}
    assert [(path, module) for path, module in imported(room) if room_of(module) in later] == []


def test_the_words_import_no_room_but_the_patterns_of_which_a_job_holds_one() -> None:
    assert {room_of(module) for _, module in imported(*WORDS)} & {*ROOMS} == {"patterns"}


def test_the_simulator_stands_for_the_outside_world_and_imports_nothing_of_ours() -> None:
    assert {room_of(module) for _, module in imported("simulator")} == {None, "simulator"}


def test_benchmarks_import_no_test() -> None:
    paths = (ROOT / "benchmarks").rglob("*.py")
    assert [path.name for path in paths for module in modules(path) if module.split(".")[0] == "tests"] == []


def test_starters_never_import_an_activity() -> None:
    assert [(path, module) for path, module in imported("starters") if room_of(module) == "activities"] == []


def room_of(module: str) -> str | None:
    return module.split(".")[1] if module.startswith("continuo.") else None


def test_the_architecture_names_every_folder() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    tops = {Path(name).parts[0] for name in tracked() if "/" in name and not name.startswith(".")}
    assert named == {*tops, *ROOMS, "simulator", "defaults"}


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def test_the_domain_knows_nothing_of_temporal() -> None:
    assert [(path, module) for path, module in imported(*DOMAIN, *WORDS) if module.startswith("temporalio")] == []


def test_the_wire_maps_and_does_no_more() -> None:
    outside = {"temporalio", "fastapi", "starlette", "httpx", "asyncio", "socket"}
    assert [(path, module) for path, module in imported("wire") if module.split(".")[0] in outside] == []


def test_patterns_never_import_each_other() -> None:
    found = [
        (pattern, module)
        for pattern in PATTERNS
        for module in modules(ROOT / "continuo" / "workflows" / f"{pattern}.py")
        if module.removeprefix("continuo.workflows.") in PATTERNS
    ]
    assert found == []
