"""The shop's books in SQLite: every deed in one transaction, keyed by whoever did it."""

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, units INTEGER NOT NULL CHECK (units >= 0));
CREATE TABLE IF NOT EXISTS deeds (
    service TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, deed TEXT NOT NULL, PRIMARY KEY (service, key)
);
CREATE TABLE IF NOT EXISTS operations (number INTEGER PRIMARY KEY, service TEXT, key TEXT, method TEXT, status INTEGER);
"""
STOCK = {"mug": 1_000_000, "lamp": 1_000_000, "blanket": 1_000_000, "clock": 1}
CARD_LIMIT_CENTS = 500_000
UNSERVED = {"AQ"}

Deed = dict[str, Any]


class Refused(Exception):
    """A service says no, for a reason that trying again does not change."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Store:
    def __init__(self, path: str | Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(SCHEMA)
        self._db.executemany("INSERT OR IGNORE INTO stock VALUES (?, ?)", STOCK.items())

    def do(self, service: str, key: str, order: Deed) -> Deed:
        """Do it once. Raises `Refused`, and `ValueError` for what is no order; the same key again gets the first
        answer, or 409 once it is undone.
        """
        with self._transaction():
            row = self._find(service, key)
            if row is not None and row[0] == "undone":
                raise Refused(409, f"{key} has been undone; a late request changes nothing")
            if row is not None:
                result: Deed = json.loads(row[1])
                return result
            deed: Deed = getattr(self, f"_{service}")(order) | {"key": key}
            self._db.execute("INSERT INTO deeds VALUES (?, ?, 'done', ?)", (service, key, json.dumps(deed)))
        return deed

    def undo(self, service: str, key: str) -> Deed:
        """Undo it once; what never happened is marked, so that it cannot happen later."""
        with self._transaction():
            row = self._find(service, key)
            if row is not None and row[0] == "done":
                for sku, units in json.loads(row[1]).get("units", {}).items():
                    self._db.execute("UPDATE stock SET units = units + ? WHERE sku = ?", (units, sku))
            self._db.execute(
                "INSERT INTO deeds VALUES (?, ?, 'undone', '{}') ON CONFLICT DO UPDATE SET state = 'undone'",
                (service, key),
            )
        return {"key": key, "undone": True}

    def note(self, service: str, key: str, method: str, status: int) -> None:
        self._db.execute(
            "INSERT INTO operations (service, key, method, status) VALUES (?, ?, ?, ?)", (service, key, method, status)
        )

    def operations(self) -> list[Deed]:
        rows = self._db.execute("SELECT service, key, method, status FROM operations ORDER BY number")
        return [dict(zip(("service", "key", "method", "status"), row, strict=True)) for row in rows]

    def totals(self) -> Deed:
        """What was done and undone, in units, cents and parcels, and what is left in stock."""
        reserved, released = self._sums("inventory", "units_total")
        charged, refunded = self._sums("payment", "cents")
        shipped, cancelled = self._sums("shipping", "parcels")
        return {
            "stock": dict(self._db.execute("SELECT sku, units FROM stock")),
            "reserved_units": reserved - released,
            "charged_cents": charged,
            "refunded_cents": refunded,
            "shipments": shipped - cancelled,
            "cancelled_shipments": cancelled,
        }

    def _sums(self, service: str, field: str) -> tuple[int, int]:
        """What was ever done, and the part of it that was undone."""
        path = f"$.{field}"
        sql = """SELECT COALESCE(SUM(deed ->> ?), 0), COALESCE(SUM((deed ->> ?) * (state = 'undone')), 0)
                 FROM deeds WHERE service = ?"""
        done, undone = self._db.execute(sql, (path, path, service)).fetchone()
        return done, undone

    def _find(self, service: str, key: str) -> tuple[str, str] | None:
        sql = "SELECT state, deed FROM deeds WHERE service = ? AND key = ?"
        row: tuple[str, str] | None = self._db.execute(sql, (service, key)).fetchone()
        return row

    def _inventory(self, order: Deed) -> Deed:
        units = Counter[str]()
        for item in order["items"]:
            units[item["sku"]] += _quantity(item)
        for sku, wanted in units.items():
            sql = "UPDATE stock SET units = units - ? WHERE sku = ? AND units >= ?"
            if self._db.execute(sql, (wanted, sku, wanted)).rowcount == 0:
                raise Refused(422, f"not in stock: {wanted} of {sku}")
        return {"units": units, "units_total": sum(units.values())}

    def _payment(self, order: Deed) -> Deed:
        cents = sum(_quantity(item) * item["unit_price_cents"] for item in order["items"])
        if cents < 0:
            raise ValueError(f"a charge of {cents} cents")
        if order["card"] == "declined" or cents > CARD_LIMIT_CENTS:
            raise Refused(402, f"the card was declined for {cents / 100:.2f}")
        return {"cents": cents}

    def _shipping(self, order: Deed) -> Deed:
        if order["country"] in UNSERVED:
            raise Refused(422, f"no carrier delivers to {order['country']}")
        return {"parcels": 1, "country": order["country"]}

    def _transaction(self) -> "Transaction":
        return Transaction(self._db)


def _quantity(item: Deed) -> int:
    """How many, where less than one would take stock or money out of nowhere. Raises `ValueError`."""
    quantity: int = item["quantity"]
    if quantity < 1:
        raise ValueError(f"a quantity of {quantity}")
    return quantity


class Transaction:
    """`sqlite3`'s own context manager begins late; two writers need the lock from the start."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
