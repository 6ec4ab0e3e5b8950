"""`continuo audit` on the store of a data folder."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from continuo.config.settings import Settings
from continuo.decided import Decision
from continuo.operations.audit import Seen, asked_of
from continuo.stores.audit import drop_person
from continuo.stores.database import Connection
from continuo.stores.opened import open_store
from continuo.stores.runs import Runs
from tests.continuo.stores.test_audit import ANSWER, JOB
from tests.continuo.stores.test_runs import done
from tests.support.commands import typed

REDACTED = Decision(stage="pii", action="redacted", findings={"EMAIL": 2})


class Typed(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def audit(
    environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Typed]:
    """Runs `continuo audit` on a data folder in which a run of ada's has ended."""
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    row = done("r1", user="ada").with_result(ANSWER)
    seen = Seen(row, asked_of(JOB, (REDACTED,)), ANSWER)

    async def enter() -> None:
        store = open_store(Settings(), {})
        await Runs(store, "here").keep([seen.row], seen.entries)
        await store.aclose()

    asyncio.run(enter())

    def run(*arguments: str) -> Typed:
        code = typed(monkeypatch, "audit", *arguments)
        return Typed(code, *capsys.readouterr())

    return run


def written(change: Callable[[Connection], object]) -> None:
    async def write() -> None:
        store = open_store(Settings(), {})
        await store.write(change)
        await store.aclose()

    asyncio.run(write())


def test_a_run_is_shown_with_what_each_stage_decided_and_without_a_word_of_it(audit: Callable[..., Typed]) -> None:
    for id in ("r1", "w-r1"):
        shown = audit("show", id)
        assert shown.code == 0
        for words in ("began", "ended", "user: ada", "pii: redacted (EMAIL 2)", "models: m", "cost: "):
            assert words in shown.out
        assert "order" not in shown.out
    assert json.loads(audit("show", "r1", "--json").out)[1]["user_name"] == "ada"
    written(lambda connection: drop_person(connection, "acme", "ada"))
    assert "user: ada" not in audit("show", "r1").out
    assert (audit("show", "r2").code, "the audit has no run 'r2'" in audit("show", "r2").err) == (2, True)


def test_a_change_is_told_with_its_row_and_a_head_kept_elsewhere_tells_what_the_chain_cannot(
    audit: Callable[..., Typed], tmp_path: Path
) -> None:
    heads = tmp_path / "heads"
    heads.write_text(audit("head").out, encoding="utf-8")
    assert audit("verify", "--heads", str(heads)) == (0, "acme: 2 rows, none changed, missing or moved\n", "")
    written(lambda connection: connection.execute("UPDATE audit SET entry = replace(entry, 'ended', 'began')"))
    changed = audit("verify")
    assert (changed.code, changed.err) == (1, "failed: acme: row 2: it was changed, or one before it was\n")
    assert audit("show", "r1").code == 0
    written(lambda connection: connection.execute("UPDATE audit SET entry = '{'"))
    assert audit("show", "r1").code == 2
    assert audit("export").code == 0
    written(
        lambda connection: (connection.execute("DELETE FROM audit"), connection.execute("DELETE FROM audit_chains"))
    )
    assert audit("verify") == (0, "the audit is empty\n", "")
    assert audit("verify", "--heads", str(heads)).code == 1
    heads.write_text("{}", encoding="utf-8")
    assert f"{heads}:1: no line of `continuo audit head`" in audit("verify", "--heads", str(heads)).err


def test_an_export_is_a_line_for_each_row_that_is_verified_without_us(audit: Callable[..., Typed]) -> None:
    lines = [json.loads(line) for line in audit("export", "--tenant", "acme").out.splitlines()]
    assert [line["entry"]["seq"] for line in lines] == [1, 2]
    assert audit("export", "--since", "2030-01-01").out == ""
    assert audit("export", "--since", "soon").code == 2
