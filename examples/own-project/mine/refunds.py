"""Refunds in the shop's own database: a change is made once for a saga, however often it is tried."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import BaseModel, Field

FILE = Path(os.environ.get("SHOP_DB") or Path(__file__).parent.parent / "shop.db")

TABLES = """
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refunds (saga TEXT PRIMARY KEY, order_id TEXT NOT NULL, cents INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS returns (saga TEXT, sku TEXT, quantity INTEGER NOT NULL, PRIMARY KEY (saga, sku));
INSERT OR IGNORE INTO stock VALUES ('mug', 10), ('pot', 4);
"""


class Line(BaseModel):
    sku: str
    quantity: int = Field(gt=0)


class Refund(BaseModel):
    saga: str
    order_id: str
    cents: int = Field(gt=0)


def charge_back(refund: Refund) -> Refund:
    with database() as shop:
        shop.execute("INSERT OR IGNORE INTO refunds VALUES (?, ?, ?)", (refund.saga, refund.order_id, refund.cents))
    return refund


def charge_again(saga: str) -> None:
    with database() as shop:
        shop.execute("DELETE FROM refunds WHERE saga = ?", (saga,))


def restock(saga: str, lines: list[Line]) -> str:
    with database() as shop:
        for line in lines:
            row = (saga, line.sku, line.quantity)
            if shop.execute("INSERT OR IGNORE INTO returns VALUES (?, ?, ?)", row).rowcount:
                change(shop, line.sku, line.quantity)
    return f"{sum(line.quantity for line in lines)} back in stock"


def unstock(saga: str) -> None:
    with database() as shop:
        for sku, quantity in shop.execute(
            "DELETE FROM returns WHERE saga = ? RETURNING sku, quantity", (saga,)
        ).fetchall():
            change(shop, sku, -quantity)


def change(shop: sqlite3.Connection, sku: str, quantity: int) -> None:
    if not shop.execute("UPDATE stock SET quantity = quantity + ? WHERE sku = ?", (quantity, sku)).rowcount:
        raise ValueError(f"there is no {sku!r} in this shop")


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """One transaction: what raises inside changes nothing."""
    with closing(sqlite3.connect(FILE, timeout=10)) as shop:
        shop.executescript(TABLES)
        with shop:
            yield shop
