"""`continuo doctor`: what it says of a world in order, and of each thing that is not."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.jobs import Priority
from continuo.protection.breaker import State, forced
from continuo.starters.commands.doctor import doctor
from continuo.starters.doctor import check, stores
from continuo.starters.doctor.check import Finding, Result, reported_once, run_checks
from continuo.starters.doctor.checks import CHECKS
from continuo.starters.doctor.temporal import pools, standing
from continuo.starters.store import opened
from continuo.stores.board import Board
from continuo.temporal.builds import Standing
from continuo.testing.processes import running_temporal, until
from continuo.workers.pool import pool
from tests.support.redis_server import redis
from tests.support.stores import emptied, postgres

SECRET = "sk-never-shown-0123456789"
NOWHERE = "127.0.0.1:1"

Doctor = Callable[[], Awaitable[tuple[int, Mapping[str, Result]]]]


@pytest.fixture
def examined(
    environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Doctor:
    """Runs the command with a data folder of its own and without a server: its exit code, and its results by name."""
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TEMPORAL_ADDRESS", NOWHERE)
    monkeypatch.chdir(tmp_path)

    async def run() -> tuple[int, Mapping[str, Result]]:
        code = await doctor(json=True)
        output = capsys.readouterr()
        assert output.err == ""
        assert SECRET not in output.out
        return code, {one["name"]: Result(**one) for one in json.loads(output.out)}

    return run


@pytest.mark.usefixtures("worker", "simulator", "shop")
async def test_a_world_in_order_is_ok_in_every_line(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    async with pool(client, Library(), "batch", 2):

        async def all_poll() -> bool:
            return (await pools(Library())).status == "ok"

        await until(all_poll)
        assert await doctor() == 0
    output = capsys.readouterr()
    assert output.err == ""
    rows = [line.split("│")[1:] for line in output.out.splitlines() if "│" in line]
    assert [name.strip() for name, *_ in rows] == [*CHECKS]
    # What other tests made fail may have opened a breaker.
    found = {(status.strip(), fix.strip()) for name, status, _, fix, _ in rows if name.strip() != "breakers"}
    assert found == {("ok", "")}


async def test_a_provider_that_is_left_alone_is_a_warning_that_says_why(examined: Doctor) -> None:
    async with opened() as database:
        await Board(database).publish(forced(State(provider="openai"), "open", "moved house", datetime.now(UTC)))
    _, results = await examined()
    assert (results["breakers"].status, results["breakers"].message) == ("warning", "openai is open: moved house")
    assert results["breakers"].fix.endswith("continuo breakers reset openai")


async def test_a_server_that_is_away_is_one_error_with_the_way_to_start_it(examined: Doctor) -> None:
    code, results = await examined()
    assert code == 1
    assert [name for name, one in results.items() if one.status == "error"] == ["temporal"]
    assert NOWHERE in results["temporal"].message
    assert "continuo dev" in results["temporal"].fix
    assert (results["pools"].status, results["pools"].fix) == ("warning", "mend temporal first")


async def test_queues_without_a_pool_are_a_warning_with_the_commands(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with running_temporal(tmp_path / "temporal") as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        code, results = await examined()
    assert code == 0
    assert results["temporal"].status == "ok"
    assert server.address in results["temporal"].message
    assert results["pools"].status == "warning"
    assert "continuo workers --priority batch" in results["pools"].fix


@pytest.mark.parametrize(
    ("known", "polling", "finding"),
    [
        ({}, (), Finding("ok", "no pool has one")),
        ({"b1": "drained"}, ({""},), Finding("ok", "no pool has one")),
        ({"b1": "current", "b0": "drained"}, ({"b1"},), Finding("ok", "b1 current")),
        (
            {"b3": "waiting", "b2": "current", "b1": "draining", "b0": "drained"},
            ({"b0", "b2", "b3"}, {"b1", "b2", "b3"}, {"b1", "b2"}),
            Finding(
                "ok",
                "b3 waiting (only critical, standard), b2 current, b1 draining (only standard, batch), "
                "b0 drained (only critical)",
            ),
        ),
        (
            {"b2": "current", "b1": "draining"},
            ({"b2"}, {"b2"}, {"b2"}),
            Finding(
                "warning",
                "b2 current, b1 draining: runs of b1 may wait: there is no pool of it",
                "CONTINUO_BUILD=b1 continuo workers",
            ),
        ),
        (
            {"b2": "waiting", "b1": "waiting", "b0": "waiting"},
            ({"b1", "b2"},),
            Finding(
                "warning",
                "b2 waiting, b1 waiting: no run comes to a build until one is current",
                "temporal worker deployment set-current-version --deployment-name continuo --build-id b2",
            ),
        ),
    ],
)
def test_of_builds_it_says_which_runs_wait_and_why(
    known: Mapping[str, Standing], polling: Sequence[set[str]], finding: Finding
) -> None:
    assert standing(known, dict(zip(get_args(Priority), polling, strict=False))) == finding


@pytest.mark.parametrize("data", ["/proc/continuo", "a-file"])
async def test_a_data_folder_that_cannot_be_written_names_its_variable(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: str
) -> None:
    (tmp_path / "a-file").write_text("")
    monkeypatch.setenv("CONTINUO_DATA", data)
    code, results = await examined()
    assert code == 1
    for name in ("data folder", "store", "cache"):
        assert results[name].status == "error"
        assert "CONTINUO_DATA" in results[name].fix


async def test_a_damaged_file_is_an_error_that_names_it(examined: Doctor, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "continuo.db").write_bytes(b"no database" * 500)
    _, results = await examined()
    assert results["data files"].status == results["store"].status == "error"
    assert str(data / "continuo.db") in results["data files"].message


async def test_a_file_too_large_to_be_checked_in_time_is_named_and_no_error(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with closing(sqlite3.connect(data / "large.db")) as connection, connection:
        connection.execute("CREATE TABLE numbers (number INTEGER UNIQUE)")
        connection.executemany("INSERT INTO numbers VALUES (?)", ((number,) for number in range(20_000)))
    monkeypatch.setattr(stores, "CHECKED_FOR", 0)
    _, results = await examined()
    assert results["data files"].status == "ok"
    assert results["data files"].message.endswith("too large or too busy to be checked: large.db")


async def test_a_store_of_a_newer_version_is_an_error(examined: Doctor, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with closing(sqlite3.connect(data / "continuo.db")) as connection:
        connection.execute("PRAGMA user_version=999")
    _, results = await examined()
    assert results["data files"].status == "ok"
    assert (results["store"].status, results["store"].fix) == ("error", "use a newer Continuo")


async def test_stores_that_are_away_are_errors_without_their_passwords(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://ada:{SECRET}@{NOWHERE}/continuo")
    monkeypatch.setenv("REDIS_URL", f"redis://:{SECRET}@{NOWHERE}/0")
    _, results = await examined()
    for name, variable in (("store", "DATABASE_URL"), ("cache", "REDIS_URL")):
        assert results[name].status == "error"
        assert variable in results[name].message + results[name].fix


async def test_stores_behind_urls_are_ok_while_their_servers_answer(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with postgres(tmp_path / "postgres") as database, redis(tmp_path / "redis") as cache:
        monkeypatch.setenv("DATABASE_URL", await emptied(database))
        monkeypatch.setenv("REDIS_URL", cache)
        _, results = await examined()
    for name, url in (("store", "postgresql://"), ("cache", cache)):
        assert results[name].status == "ok", results[name]
        assert results[name].message.startswith(url)


async def test_a_broken_catalog_is_one_error_that_names_the_file(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text("[models.mine]\nprovider = 3\n")
    monkeypatch.setenv("CONTINUO_CATALOG", str(path))
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    _, results = await examined()
    assert results["catalog"].status == "error"
    assert f"{path}: models.mine.provider" in results["catalog"].message
    for name in ("patterns", "keys", "models"):
        assert (results[name].status, results[name].fix) == ("warning", "mend catalog first")


async def test_broken_patterns_are_an_error_with_file_and_line_of_the_first(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("a-broken", "a-worse"):
        (tmp_path / f"{name}.yaml").write_text("description: x\npattern:\n  kind: cal\n")
    monkeypatch.setenv("CONTINUO_PATTERNS", str(tmp_path))
    _, results = await examined()
    assert results["patterns"].status == "error"
    assert f"{tmp_path / 'a-broken.yaml'}:3" in results["patterns"].message
    assert "1 more" in results["patterns"].message


async def test_keys_are_listed_by_their_variables_and_never_shown(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.delenv("CONTINUO_SIMULATED")
    _, results = await examined()
    there, missing = results["keys"].message.split("; not set: ")
    assert there == "set: OPENAI_API_KEY, TOOLS_TEST_TOKEN"
    assert "ANTHROPIC_API_KEY" in missing
    assert results["models"].status == "ok"
    assert "openai" in results["models"].message


async def test_without_a_real_model_the_fix_names_the_variable_of_a_key(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONTINUO_SIMULATED")
    _, results = await examined()
    assert results["models"].status == "warning"
    assert "OPENAI_API_KEY" in results["models"].fix


async def test_a_key_that_no_header_can_carry_is_an_error(examined: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"sk-another-one,{SECRET}\x07")
    _, results = await examined()
    assert results["keys"].status == "error"
    assert "OPENAI_API_KEY" in results["keys"].fix


@pytest.mark.parametrize(
    ("name", "variable"),
    [("simulator", "CONTINUO_SIM_URL"), ("shop", "CONTINUO_SHOP_URL"), ("gateway", "CONTINUO_GATEWAY_URL")],
)
async def test_a_server_of_the_stack_that_is_away_names_its_variable(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://{NOWHERE}")
    _, results = await examined()
    assert results[name].status == "error"
    assert variable in results[name].fix


@pytest.mark.parametrize("url", [f"http://ada:{SECRET}@{NOWHERE}", f"http://{SECRET}:{SECRET}/", SECRET])
async def test_a_wrong_url_is_an_error_that_does_not_show_its_password(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("CONTINUO_GATEWAY_URL", url)
    _, results = await examined()
    assert results["gateway"].status == "error"


@pytest.mark.parametrize("name", ["continuo.py", "continuo/__init__.py"])
async def test_a_module_in_the_working_folder_that_hides_ours_is_a_warning(
    examined: Doctor, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("")
    _, results = await examined()
    assert results["package"].status == "warning"
    assert results["package"].fix == f"rename {Path(name).parts[0]}"


async def test_a_wrong_setting_is_an_error_and_all_that_is_said(
    examined: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTINUO_HEARTBEAT", "9")
    code, results = await examined()
    assert code == 1
    assert [*results] == ["settings"]
    assert "CONTINUO_HEARTBEAT=9" in results["settings"].message


async def test_checks_run_at_once_each_within_its_limit_and_none_raises(
    environ: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "LIMIT", 0.05)

    async def hangs(library: Library) -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    async def raises(library: Library) -> Finding:
        raise ZeroDivisionError(f"of {SECRET}")

    results = await run_checks(
        {"one": hangs, "two": hangs, "three": raises}, Library(), lambda text: text.replace(SECRET, "***")
    )
    assert [(one.status, one.message) for one in results] == [
        ("error", "one: no answer within 0.05 s"),
        ("error", "two: no answer within 0.05 s"),
        ("error", "ZeroDivisionError: of ***"),
    ]


def test_the_same_error_is_reported_once() -> None:
    error = Finding("error", "away", "start it")
    fine = Finding("ok", "fine")
    assert reported_once({"a": fine, "b": error, "c": error, "d": fine}) == {
        "a": fine,
        "b": error,
        "c": Finding("warning", "not checked", "mend b first"),
        "d": fine,
    }


@pytest.mark.parametrize(
    ("name", "text", "says", "fix"),
    [
        ("events", "[subscribers.a]", "write `url`", ""),
        (
            "events",
            "[subscribers.a]\nurl = 'http://h/x'",
            "subscribers.a.url: its scheme is 'http'",
            "begins with https://",
        ),
        (
            "events",
            "[subscribers.a]\nredis = 'x'",
            "subscribers.a: REDIS_URL is not set",
            "or give the subscriber a `url`",
        ),
        (
            "alerts",
            "[channels.a]\nkind = 'slack'\nurl_env = 'SLACK_URL'",
            "channels.a: SLACK_URL is not set",
            "set it in",
        ),
    ],
    ids=["wrong", "address", "redis", "channel"],
)
async def test_who_cannot_be_told_is_named(
    examined: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, says: str, fix: str
) -> None:
    (tmp_path / "file.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv(f"CONTINUO_{name.upper()}", str(tmp_path / "file.toml"))
    monkeypatch.setenv("CONTINUO_WEBHOOK_PRIVATE", "0")
    _, results = await examined()
    assert results[name].status == "error"
    assert says in results[name].message
    assert fix in results[name].fix
