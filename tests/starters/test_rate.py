"""`continuo rate`: answers are rated blindly, once by each rater."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings
from continuo.door.collecting import row_of
from continuo.patterns import Split, Template, Variant
from continuo.starters.commands.rate import agreement
from continuo.stores.opened import open_store
from continuo.stores.ratings import ratings_of
from continuo.stores.runs import Runs
from continuo.testing.processes import job
from tests.continuo.stores.test_runs import done
from tests.starters.test_runs import ran
from tests.support.commands import Result, continuo

ANSWER = Split(variants={"secret": Variant(step=Template(text="It is on its \x1b[31mway."))})


@pytest.fixture
async def run_ids(client: Client, worker: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of two runs in a table of their own, beside one that Temporal has forgotten."""
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    handles = [await ran(client, f"t-{uuid4()}", ANSWER) for _ in range(2)]
    rows = [await row_of(client, await handle.describe()) for handle in handles]
    store = open_store(Settings(), {})
    try:
        await Runs(store, "here").keep([*filter(None, rows), done("forgotten", pattern="test")])
    finally:
        await store.aclose()
    return [row.run_id for row in rows if row]


async def rated(run_ids: list[str]) -> list[tuple[str, str, float]]:
    store = open_store(Settings(), {})
    try:
        return sorted((one.rater, one.dimension, one.value) for one in await ratings_of(store, run_ids))
    finally:
        await store.aclose()


async def rate(rater: str, *answers: str) -> Result:
    return await continuo("rate", "--rater", rater, "--pattern", "test", stdin="".join(f"{one}\n" for one in answers))


async def test_answers_are_shown_blindly_and_what_was_rated_is_not_asked_for_again(run_ids: list[str]) -> None:
    assert job(ANSWER).context.pattern == "test"
    first = await rate("ann", "5", "9", "s", "1", "4", "q")
    assert (first.code, first.err) == (0, "")
    assert first.out.count("Where is my order?") == first.out.count("It is on its \\u001b[31mway.") == 2
    assert "secret" not in first.out
    assert await rated(run_ids) == [("ann", "helpfulness", 0), ("ann", "relevance", 0.75), ("ann", "relevance", 1)]
    again = await rate("ann", "3", "3")
    assert (again.out.count("relevance"), again.out.count("accuracy")) == (0, 2)
    whole = await rate("ann", "3", "3", "3")
    assert whole.code == 0
    assert len(await rated(run_ids)) == 6
    done = await rate("ann")
    assert "Where is my order?" not in done.out


async def test_how_far_raters_agree_is_told(run_ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    await rate("ann", *"555555")
    await rate("bob", *"555551")
    assert await agreement(pattern="test") == 0
    table = capsys.readouterr().out
    assert "by a third rater" in table
    assert await agreement(json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["dimension"]: one["kappa"] for one in found["dimensions"]} == {
        "relevance": 1,
        "accuracy": 1,
        "helpfulness": 0,
    }
    [dispute] = found["disputes"]
    assert (dispute["dimension"], dispute["scores"]) == ("helpfulness", {"ann": 5, "bob": 1})


async def test_nothing_to_rate_and_nothing_rated_are_said(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    assert (await rate("ann")).out == "rated 0 of 0\n"
    assert await agreement() == 0
    assert "no run has been rated by two people" in capsys.readouterr().out
    wrong = await continuo("rate", "--rater", "")
    assert (wrong.code, wrong.err.startswith("error: rater: ")) == (2, True)
