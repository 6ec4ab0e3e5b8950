"""A backup is whole or not there, and what is restored is what was backed up."""

import json
import re
import resource
import shlex
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.protection.vault_key import vault_key
from continuo.stores.database import Connection
from continuo.stores.opened import open_store, opened_payloads
from continuo.workers.local.backup import back_up
from continuo.workers.local.data_folder import held
from continuo.workers.local.restore import restore
from tests.support.commands import typed
from tests.support.repository import ROOT

TEMPORAL, STORE, PAYLOADS = "temporal.db", "continuo.db", "payloads.db"


def remember(number: int) -> Callable[[Connection], None]:
    def write(connection: Connection) -> None:
        connection.execute(
            "INSERT INTO journal (identity, time, outcome) VALUES (?, '2026-01-01', '{}')", (str(number),)
        )

    return write


def journal(data: Path) -> set[str]:
    with closing(sqlite3.connect(data / STORE)) as connection:
        return {identity for (identity,) in connection.execute("SELECT identity FROM journal")}


@pytest.fixture
async def data(tmp_path: Path, environ: pytest.MonkeyPatch) -> Path:
    """A data folder as a stack leaves it, with a row in the journal, an answer that waits for the store, and a key."""
    data = tmp_path / "data"
    settings = Settings(data=data)
    store = open_store(settings, {})
    await store.write(remember(1))
    await store.aclose()
    async with opened_payloads(settings, {}):
        pass
    with closing(sqlite3.connect(data / TEMPORAL)) as temporal:
        temporal.execute("PRAGMA journal_mode=WAL")
        temporal.execute("CREATE TABLE histories (needs INTEGER)")
    (data / "unrecorded").mkdir()
    (data / "unrecorded" / "call-1.json").write_text("{}")
    (data / "logs").mkdir()
    vault_key(data, {})
    return data


@pytest.fixture
def backup(data: Path, tmp_path: Path) -> Path:
    back_up(data, tmp_path / "backup", keys=False)
    return tmp_path / "backup"


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("keys", [False, True])
def test_what_is_restored_is_what_was_there_with_the_key_if_it_was_asked_for(
    data: Path, tmp_path: Path, *, keys: bool
) -> None:
    back_up(data, tmp_path / "backup", keys=keys)
    restored = tmp_path / "other" / "data"
    restore(tmp_path / "backup", restored)
    key = {"vault.key"} if keys else set()
    assert names(restored) == {TEMPORAL, STORE, PAYLOADS, "unrecorded/call-1.json", "lock"} | key
    assert journal(restored) == {"1"}
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700
    if keys:
        assert (restored / "vault.key").read_bytes() == (data / "vault.key").read_bytes()
        assert stat.S_IMODE((restored / "vault.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("needed", [(STORE, "journal"), (PAYLOADS, "payloads")], ids=lambda needed: needed[1])
def test_no_history_lacks_what_it_needs_though_all_is_written_meanwhile(
    needed: tuple[str, str], data: Path, tmp_path: Path
) -> None:
    """Whatever is needed is written before the history that needs it, as by a pool."""
    file, table = needed
    ended, begun = Event(), Event()
    with closing(sqlite3.connect(data / file)) as connection:
        connection.execute(f"CREATE TABLE needed_{table} (number INTEGER, filling BLOB)")

    def write() -> None:
        with closing(sqlite3.connect(data / file)) as store, closing(sqlite3.connect(data / TEMPORAL)) as temporal:
            number = 0
            while not ended.is_set():
                number += 1
                with store:
                    store.execute(f"INSERT INTO needed_{table} VALUES (?, zeroblob(5000))", (number,))
                with temporal:
                    temporal.execute("INSERT INTO histories VALUES (?)", (number,))
                begun.set()

    writer = Thread(target=write)
    writer.start()
    begun.wait()
    try:
        for round in range(5):
            back_up(data, tmp_path / f"backup-{round}", keys=False)
    finally:
        ended.set()
        writer.join()
    known = []
    for round in range(5):
        backup = tmp_path / f"backup-{round}"
        with (
            closing(sqlite3.connect(backup / file)) as store,
            closing(sqlite3.connect(backup / TEMPORAL)) as temporal,
        ):
            [(last,)] = temporal.execute("SELECT max(needs) FROM histories").fetchall()
            [(count,)] = store.execute(f"SELECT count(*) FROM needed_{table} WHERE number <= ?", (last,)).fetchall()
            assert count == last
            assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            known.append(last)
    # It was written all the while.
    assert known == sorted({*known})


def test_no_folder_is_written_over_and_none_without_a_stack_is_backed_up(backup: Path, data: Path) -> None:
    before = names(backup)
    with pytest.raises(InputError, match="backup is there already; name a folder that is not"):
        back_up(data, backup, keys=True)
    assert names(backup) == before
    with pytest.raises(InputError, match=r"no stack keeps data in .*nowhere; name its folder with --data DIR"):
        back_up(data / "nowhere", backup.with_name("second"), keys=False)


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """A full disk without a disk: no file of this process grows beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# The first does not hold Temporal's file, the second not that of the store, which is greater.
@pytest.mark.parametrize("size", [1_000, 20_000])
def test_a_full_disk_is_told_and_leaves_nothing(size: int, backup: Path, data: Path, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    with disk_of(size), pytest.raises(InputError, match=r"cannot copy .*data to .*second: .*; make room there"):
        back_up(data, tmp_path / "second", keys=False)
    assert {path.name for path in tmp_path.iterdir()} == before
    with disk_of(size), pytest.raises(InputError, match=r"cannot copy .*backup to .*other: .*too large.*; make room"):
        restore(backup, tmp_path / "other")
    assert names(tmp_path / "other") == {"lock"}
    restore(backup, tmp_path / "other")


def change(backup: Path, **values: object) -> None:
    manifest = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps(manifest | values))


def damage(backup: Path) -> None:
    content = bytearray((backup / PAYLOADS).read_bytes())
    content[-1] ^= 1
    (backup / PAYLOADS).write_bytes(content)


ESCAPING = {"../temporal.db": {"bytes": 0, "sha256": ""}}


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (damage, r"payloads\.db: it is not what the manifest says, so the backup is damaged; take another one"),
        (lambda backup: (backup / STORE).unlink(), r"No such file.*continuo\.db"),
        (lambda backup: change(backup, schemas={STORE: 999}), r"continuo\.db: the store has version 999, .* newer"),
        (lambda backup: change(backup, format=2), r"manifest\.json: format: .*; name a folder that `continuo backup`"),
        (lambda backup: change(backup, files=ESCAPING), r"manifest\.json: files.*: .*no file of a backup; "),
        (lambda backup: (backup / "manifest.json").unlink(), r"cannot read .*manifest\.json"),
    ],
    ids=["damaged", "incomplete", "newer-tables", "newer-backup", "escaping", "no-backup"],
)
def test_what_cannot_be_restored_is_refused_and_leaves_nothing(
    break_it: Callable[[Path], object], message: str, backup: Path, tmp_path: Path
) -> None:
    break_it(backup)
    with pytest.raises(InputError, match=message):
        restore(backup, tmp_path / "other")
    assert {path.name for path in (tmp_path / "other").glob("*")} <= {"lock"}


async def test_tables_of_an_older_release_are_brought_up_to_date_when_they_are_opened(
    backup: Path, data: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(data / STORE, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            connection.execute(f'DROP TABLE "{name}"')
        connection.execute("PRAGMA user_version=0")
    back_up(data, tmp_path / "older", keys=False)
    restore(tmp_path / "older", tmp_path / "other")
    store = open_store(Settings(data=tmp_path / "other"), {})
    assert await store.read("SELECT * FROM journal") == []
    await store.aclose()


def test_only_the_empty_folder_of_a_stack_that_does_not_run_is_restored_to(backup: Path, data: Path) -> None:
    before = names(data)
    with pytest.raises(InputError, match=r"data is not empty; move what is in it away, or choose --data DIR"):
        restore(backup, data)
    assert names(data) - {"lock"} == before
    with held(data), pytest.raises(InputError, match=r"another stack uses the data in .*; end it, or choose --data"):
        restore(backup, data)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_with_a_database_of_its_own_it_is_said_what_to_copy(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:secret@db/continuo")
    assert typed(monkeypatch, command, str(tmp_path / "backup")) == 2
    error = capsys.readouterr().err
    in_order = ("DATABASE_URL: ", "Temporal's database", "unrecorded of each host", "pg_dump", "CONTINUO_VAULT_KEY")
    assert re.search(".*".join(in_order), error.replace("\n", " "))
    assert "secret" not in error


def test_with_a_cluster_of_ones_own_it_is_said_that_its_runs_are_not_in_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / TEMPORAL).unlink()
    assert typed(monkeypatch, "backup", str(tmp_path / "backup"), "--data", str(data), "--keys") == 0
    assert re.search(r"has no temporal\.db: the runs are in a cluster of yours; .* older", capsys.readouterr().err)


def test_the_commands_of_the_docs_work(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    [block] = re.findall(r"## Backup\n.*?```sh\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONTINUO_DATA", str(data))
    for line in block.splitlines():
        assert typed(monkeypatch, *shlex.split(line)[1:]) == 0
    assert journal(tmp_path / "restored") == {"1"}
    told = capsys.readouterr()
    assert re.match(r"backup-\d+: \d files, [\d,]+ bytes\nrestored: \d files, [\d,]+ bytes, as of .* UTC\n$", told.out)
    assert "vault.key is not in it; keep that apart, or use --keys" in told.err
    assert "no vault.key was in it; put that of the former folder there" in told.err
