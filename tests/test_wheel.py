"""What is built is installed into an environment of its own, and used far from this repository."""

import asyncio
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from continuo import __version__
from tests.support.repository import ROOT
from tests.test_project_page import OWN_CODE

OTHERS = ("activities", "config", "examples", "patterns", "simulator", "starters", "tests", "workers", "workflows")
"""Packages that a project may well have."""

NAMES = ("port", "ui-port", "sim-port", "shop-port", "gateway-port", "metrics-port")
PORTS = [part for name in NAMES for part in (f"--{name}", "0")]
SERVERS = ("TEMPORAL_ADDRESS", "CONTINUO_SIM_URL", "CONTINUO_SHOP_URL")


@dataclass(frozen=True)
class Installed:
    """The wheel, and the folder of an environment's programs that has it."""

    wheel: Path
    programs: Path

    async def run(self, program: str, *arguments: str, folder: Path, without: tuple[str, ...] = ()) -> str:
        """What a program prints in `folder`; its exit code must be 0. No setting names a file, nor any `without`."""
        gone = ("CONTINUO_CATALOG", "CONTINUO_CODE", "CONTINUO_TENANTS", "PYTHONPATH", *without)
        process = await asyncio.create_subprocess_exec(
            *(str(self.programs / program), *arguments),
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name not in gone},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, (out.decode(), err.decode())
        return out.decode()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Its dependencies are those of the environment that runs the tests, for they cannot be fetched everywhere."""
    folder = tmp_path_factory.mktemp("installed")
    build = (sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder))
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")), check=True)
    programs = folder / "venv" / "bin"
    install = ("-m", "pip", "--python", str(programs / "python"), "install")
    offline = ("--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check", "--quiet")
    subprocess.run((sys.executable, *install, *offline, wheel), check=True)
    [packages] = folder.glob("venv/lib/*/site-packages")
    # Last, so that pip does not take the clone for the wheel. A path that is named so has its own .pth files unread.
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return Installed(wheel, programs)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder whose packages are called as folders of ours are, or were, and as what we import; none may be loaded."""
    folder = tmp_path / "foreign"
    for name in (*OTHERS, "yaml", "redis", "continuo"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise SystemExit('{name} was imported')\n", encoding="utf-8")
    return folder


def test_the_wheel_has_one_package_and_no_more(installed: Installed) -> None:
    names = ZipFile(installed.wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"continuo", f"continuo_patterns-{__version__}.dist-info"}


def test_the_wheel_has_every_file_of_the_package(installed: Installed) -> None:
    tracked = subprocess.run(["git", "ls-files", "continuo"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(tracked.stdout.split("\n")) - set(ZipFile(installed.wheel).namelist()) == {""}


def test_nobody_is_told_to_install_what_others_call_continuo() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    shown = (name for name in tracked if name.endswith((".md", "Dockerfile", ".py", ".toml")))
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in shown}
    command = re.compile(r"\binstall\b[^\n&]*?[ '\"]continuo(?![\w./-])")
    assert [name for name, text in texts.items() if command.search(text)] == []


async def test_it_is_the_wheel_that_is_loaded_and_not_the_clone(installed: Installed, tmp_path: Path) -> None:
    file = await installed.run("python", "-c", "import continuo; print(continuo.__file__)", folder=tmp_path)
    assert Path(file.strip()).is_relative_to(installed.programs.parent)


async def test_commands_know_the_shipped_defaults_in_a_folder_with_packages_of_others(
    installed: Installed, foreign: Path, environ: pytest.MonkeyPatch
) -> None:
    assert "customer-support" in await installed.run("continuo", "patterns", folder=foreign)


@pytest.mark.usefixtures("worker", "simulator", "shop")
async def test_a_project_runs_its_pattern_and_its_tests(installed: Installed, foreign: Path) -> None:
    await installed.run("continuo", "init", "mine", folder=foreign)
    project = foreign / "mine"
    for name in OTHERS:
        (project / name).mkdir(exist_ok=True)
        (project / name / "__init__.py").touch()
    arguments = ("run", "assistant", "--input", "../examples/question.txt", "--json")
    assert json.loads(await installed.run("continuo", *arguments, folder=project / "tests"))["tier"] == 1
    # As a project runs them, with servers of their own.
    arguments = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "2 passed" in await installed.run("python", *arguments, folder=project)


@pytest.fixture
def own_project(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "shop.db", ".pytest_cache")
    return Path(shutil.copytree(ROOT / "examples" / "own-project", tmp_path / "own", ignore=ignored))


@pytest.mark.chaos
async def test_the_example_of_own_code_passes_its_tests(installed: Installed, own_project: Path) -> None:
    arguments = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "5 passed" in await installed.run("python", *arguments, folder=own_project)


@pytest.mark.chaos
async def test_the_commands_of_the_page_refund_in_the_own_database(
    installed: Installed, own_project: Path, environ: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands = re.findall(r"^continuo run .*$", OWN_CODE, re.MULTILINE)
    assert len(commands) == 2
    script = f"PATH={installed.programs}:$PATH; set -e; {'; '.join(commands)}"
    command = ("dev", "--supervise", *PORTS, "--data", str(tmp_path / "data"), "--", "sh", "-c", script)
    shown = await installed.run("continuo", *command, folder=own_project, without=SERVERS)
    assert "2 back in stock" in shown
    with closing(sqlite3.connect(own_project / "shop.db")) as shop:
        assert shop.execute("SELECT order_id, cents FROM refunds").fetchall() == [("2026-117", 2500)]
        assert shop.execute("SELECT quantity FROM stock WHERE sku = 'mug'").fetchall() == [(12,)]


@pytest.mark.chaos
async def test_the_demo_ends_well_on_a_stack_of_its_own(
    installed: Installed, foreign: Path, environ: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = (
        "dev",
        "--supervise",
        *PORTS,
        "--data",
        str(tmp_path / "data"),
        "--",
        str(installed.programs / "continuo"),
        "demo",
    )
    shown = await installed.run("continuo", *command, folder=foreign, without=SERVERS)
    assert "create shipment failed" in shown
    assert shown.count("http://127.0.0.1:") == 4
