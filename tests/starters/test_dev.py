"""`continuo dev`, as a person runs it: real processes, real signals, and nothing left of them."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import MessageParam
from openai import OpenAI

from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.starters.commands.dev import _run as run
from continuo.stores.api_keys import ApiKeys
from continuo.stores.opened import open_store
from continuo.testing.processes import TemporalServer, until
from continuo.workers.local.ports import QUIET, Ports
from continuo.workers.local.processes import module
from tests.support.receiver import receiving

NAMES = ("port", "ui-port", "sim-port", "shop-port", "gateway-port", "metrics-port")
FREE = tuple(part for name in NAMES for part in (f"--{name}", "0"))
MARK = "DEV_TEST"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is left behind is looked up in /proc")


class Dev:
    """A `continuo dev` on free ports with its data in `folder`; it and all it starts bear a mark."""

    def __init__(self, folder: Path, cwd: Path | None = None) -> None:
        self.folder = folder
        self.cwd = cwd
        self._mark = f"{MARK}={uuid4()}"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *arguments: str, **environment: str) -> None:
        name, mark = self._mark.split("=")
        ours = ("TEMPORAL_ADDRESS", "CONTINUO_WEBHOOK_")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        self._process = await asyncio.create_subprocess_exec(
            *module("continuo", "dev", *FREE, "--data", str(self.folder), *arguments),
            cwd=self.cwd,
            env={**clean, name: mark, "TMPDIR": str(self.folder.parent), **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        return (await asyncio.wait_for(self._process.stdout.readline(), 100)).decode().strip()

    async def error_line(self) -> str:
        assert self._process is not None
        assert self._process.stderr is not None
        return (await asyncio.wait_for(self._process.stderr.readline(), 100)).decode().strip()

    def send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def result(self) -> tuple[int, str, str]:
        """Exit code, stdout and stderr, as far as they were not read."""
        assert self._process is not None
        out, err = await asyncio.wait_for(self._process.communicate(), 100)
        assert self._process.returncode is not None
        return self._process.returncode, out.decode(), err.decode()

    def processes(self) -> dict[int, str]:
        """Everything that bears the mark and lives: pid and command line."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self._mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_text(encoding="utf-8").replace("\0", " ")
            except OSError:
                continue
        return found

    async def nothing_is_left(self) -> bool:
        return not self.processes() and {path.name for path in self.folder.parent.iterdir()} <= {self.folder.name}


@asynccontextmanager
async def running(folder: Path, *arguments: str, cwd: Path | None = None, **environment: str) -> AsyncIterator[Dev]:
    dev = Dev(folder, cwd)
    await dev.start(*arguments, **environment)
    try:
        yield dev
        await until(dev.nothing_is_left)
    finally:
        for pid in dev.processes():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def data(tmp_path: Path, environ: pytest.MonkeyPatch) -> Path:
    return tmp_path / "data"


COMMAND = """
import json, os, signal
print(json.dumps(dict(os.environ)), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.chaos
@pytest.mark.usefixtures("worker")
async def test_with_a_cluster_of_ones_own_no_server_is_started_and_a_killed_command_is_128_and_its_signal(
    data: Path, temporal: TemporalServer
) -> None:
    arguments = ("--", sys.executable, "-c", COMMAND)
    async with running(data, *arguments, TEMPORAL_ADDRESS=temporal.address) as dev:
        code, out, err = await dev.result()
    told = json.loads(out)
    assert (code, told["TEMPORAL_ADDRESS"], "CONTINUO_TEMPORAL_PID" in told) == (137, temporal.address, False)
    assert told["CONTINUO_DATA"] == str(data)
    assert len(told["CONTINUO_WORKER_PIDS"].split(",")) == 3
    for name in ("CONTINUO_SIM_URL", "CONTINUO_SHOP_URL", "CONTINUO_GATEWAY_URL"):
        assert told[name].startswith("http://127.0.0.1:")
    assert err.startswith(f"warning: other pools work on this cluster's queues already ({os.getpid()}@")
    assert err.count("\n") == 1
    assert not (data / "temporal.db").exists()


async def test_without_a_command_it_tells_its_addresses_and_starts_again_what_dies_until_ctrl_c(data: Path) -> None:
    """Who waits for an answer or a webhook of a gateway that was killed gets it."""
    async with running(data, "--supervise", CONTINUO_BUILD="of-pools-elsewhere") as dev:
        told = [await dev.line() for _ in range(10)]
        assert told[9].startswith("ready;")
        ui, _, simulator, shop, gateway, _, key, secret, folder, _ = [line.split()[-1] for line in told]
        assert folder == str(data)
        assert (data / "temporal.db").exists()
        await reachable(ui)
        await reachable(f"{simulator}/_sim/health")
        await reachable(f"{shop}/totals")

        os.kill(one(dev, "continuo gateway"), signal.SIGKILL)
        async with AsyncAnthropic(base_url=gateway.removesuffix("/v1"), api_key=key) as client:
            asked: MessageParam = {"role": "user", "content": "Hello?"}
            answer = await client.messages.create(model="support", max_tokens=100, messages=[asked])
        assert answer.stop_reason == "end_turn"
        async with receiving() as receiver, httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}) as http:
            body = {"pattern": "support", "input": "Hello?", "webhook": {"url": receiver.url()}}
            made = (await http.post(f"{gateway}/jobs", json=body)).json()
            [sent] = await receiver.has(1)
        event: Any = OpenAI(api_key="none").webhooks.unwrap(sent.body, sent.headers, secret=secret)
        assert event.data.id == made["id"]
        assert (await dev.error_line()).startswith("the gateway died; starting it again in ")

        for name in ("start-dev", "--priority batch", "continuo.simulator --port"):
            os.kill(one(dev, name), signal.SIGKILL)
        assert {(await dev.error_line()).split(" died; starting it again in ")[0] for _ in range(3)} == {
            "the temporal", "the batch pool", "the simulator",
        }  # fmt: skip
        await reachable(ui)
        await reachable(f"{simulator}/_sim/health")
        await until(lambda: ready_again(data / "logs" / "batch-pool.log"))

        second = Dev(data)
        await second.start()
        code, _, err = await second.result()
        assert (code, err) == (2, f"error: another stack uses the data in {data}; end it, or choose --data DIR\n")

        dev.send(signal.SIGINT)
        # Who is impatient does not cut short the ending of the processes.
        dev.send(signal.SIGINT)
        assert (await dev.result())[0] == 0
    store = open_store(Settings(data=data), {})
    [stored] = await ApiKeys(store).all()
    await store.aclose()
    assert stored.revoked is not None


async def test_a_command_has_the_environment_of_the_stack_and_gives_the_exit_code() -> None:
    script = 'test "$CONTINUO_DATA" = here && test -n "$PATH" && exit 7'
    assert await run(("sh", "-c", script), {"CONTINUO_DATA": "here"}) == 7


@pytest.mark.chaos
async def test_when_a_process_dies_all_ends_and_says_which(data: Path) -> None:
    async with running(data) as dev:
        while not (await dev.line()).startswith("ready;"):
            pass
        os.kill(one(dev, "--priority standard"), signal.SIGKILL)
        code, _, err = await dev.result()
    assert code == 1
    assert err == f"error: the standard pool died; see {data}/logs/standard-pool.log\n"


@pytest.mark.chaos
async def test_a_start_that_fails_says_why_and_leaves_nothing(temporal: TemporalServer, data: Path) -> None:
    (data / "continuo.db").mkdir(parents=True)
    async with running(data, TEMPORAL_ADDRESS=temporal.address) as dev:
        code, out, err = await dev.result()
    assert (code, out) == (2, "")
    # A cluster of one's own may have pools of others, which is a warning before it.
    assert re.search(r"^error: the (gateway|\w+ pool) ended at its start: .+ \(see .+\.log\)$", err, re.MULTILINE)


async def test_a_file_that_is_wrong_is_told_before_anything_starts(data: Path) -> None:
    async with running(data, CONTINUO_CATALOG="/nowhere.toml") as dev:
        code, out, err = await dev.result()
    assert (code, out) == (2, "")
    assert err.startswith("error: no catalog at /nowhere.toml")
    assert err.count("\n") == 1
    assert not data.exists()


@pytest.mark.chaos
async def test_folders_of_the_users_own_are_never_taken_for_ours_and_a_signal_ends_the_command(data: Path) -> None:
    for name in ("continuo", "activities", "workflows", "workers", "starters", "simulator", "examples"):
        (data.parent / "project" / name).mkdir(parents=True)
        (data.parent / "project" / name / "__init__.py").write_text("raise SystemExit('not ours')", encoding="utf-8")
    command = ("sh", "-c", "echo working; exec sleep 600")
    async with running(data, "--", *command, cwd=data.parent / "project") as dev:
        assert await dev.line() == "working"
        dev.send(signal.SIGTERM)
        assert await dev.result() == (143, "", "")
        shutil.rmtree(data.parent / "project")


@pytest.mark.chaos
async def test_killed_itself_it_takes_everything_along(data: Path) -> None:
    async with running(data, "--", "sh", "-c", "echo working; exec sleep 600") as dev:
        assert await dev.line() == "working"
        dev.send(signal.SIGKILL)
        assert (await dev.result())[0] == -signal.SIGKILL


async def test_a_command_that_does_not_exist_is_told_before_anything_starts(data: Path) -> None:
    async with running(data, "--", "bakery") as dev:
        assert await dev.result() == (2, "", "error: there is no command 'bakery'; name one that exists after --\n")
    assert not data.exists()


@pytest.mark.parametrize(("name", "option"), [("temporal", "--port"), ("ui", "--ui-port"), ("sim", "--sim-port")])
def test_a_taken_port_is_named_with_the_option_to_change_it(name: str, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port} \({name}\) is taken; .* with {option}$"):
            replace(Ports(0, 0, 0, 0), **{name: port}).taken_as_free(temporal=True)


def test_a_port_wanted_twice_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=rf"port {port} \(.*\) is taken"):
        Ports(0, 0, port, port).taken_as_free(temporal=True)


def test_a_free_port_is_none_that_a_connection_may_get_before_it_is_listened_on() -> None:
    ports = Ports(0, 0, 0, 0).taken_as_free(temporal=True)
    assert {port in QUIET for port in (ports.temporal, ports.ui, ports.sim, ports.shop)} == {True}


def test_a_number_that_is_no_port_is_named() -> None:
    with pytest.raises(InputError, match=r"port 99999 \(shop\) cannot be used .* with --shop-port$"):
        Ports(0, 0, 0, 99999).taken_as_free(temporal=True)


def test_the_ports_of_a_server_that_is_not_started_are_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert Ports(port, port, 0, 0).taken_as_free(temporal=False).temporal == port


def one(dev: Dev, text: str) -> int:
    """The pid of the one process whose command line has `text`."""
    (pid,) = [pid for pid, line in dev.processes().items() if text in line and " dev " not in line]
    return pid


async def reachable(url: str) -> None:
    async with httpx.AsyncClient() as http:

        async def answers() -> bool:
            return (await http.get(url)).is_success

        await until(answers)


async def ready_again(log: Path) -> bool:
    text = await asyncio.to_thread(log.read_text, encoding="utf-8")
    return text.count('"pool ready"') == 2
