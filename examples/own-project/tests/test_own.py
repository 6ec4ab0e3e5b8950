"""The project's own functions, run by its patterns."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mine import refunds

from continuo.client import InputError, RunFailed
from continuo.client.sync import Continuo

REFUND = json.loads((Path(__file__).parent.parent / "refund.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refunds, "FILE", tmp_path / "shop.db")


def books() -> tuple[int, int]:
    """Cents paid back, and mugs in stock."""
    with closing(sqlite3.connect(refunds.FILE)) as shop:
        [[cents]] = shop.execute("SELECT coalesce(sum(cents), 0) FROM refunds")
        [[mugs]] = shop.execute("SELECT quantity FROM stock WHERE sku = 'mug'")
    return cents, mugs


def test_a_refund_is_paid_and_restocked(continuo_sync: Continuo) -> None:
    assert continuo_sync.run("refund", data=REFUND).text == "2 back in stock"
    assert books() == (2500, 12)


def test_goods_that_are_not_ours_undo_the_payment(continuo_sync: Continuo) -> None:
    lines = [{"sku": "mug", "quantity": 1}, {"sku": "yacht", "quantity": 1}]
    with pytest.raises(RunFailed, match=r"restock raised ValueError: there is no 'yacht' in this shop"):
        continuo_sync.run("refund", data={**REFUND, "lines": lines})
    assert books() == (0, 10)


def test_a_refund_of_nothing_is_refused_before_it_runs(continuo_sync: Continuo) -> None:
    with pytest.raises(InputError, match="cents: Input should be greater than 0"):
        continuo_sync.run("refund", data={**REFUND, "cents": 0})


@pytest.mark.parametrize(("text", "branch"), [("Broken again! Refund me.", "urgent"), ("When do you open?", "calm")])
def test_a_scorer_of_ones_own_picks_the_model(continuo_sync: Continuo, text: str, branch: str) -> None:
    assert continuo_sync.run("complaint", text).branch == branch
