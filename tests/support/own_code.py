"""Functions as a user has them, which patterns of the tests call."""

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from datetime import date
from decimal import Decimal
from os import (
    environ,
    system,  # noqa: F401, for a pattern must not call it
)

from pydantic import BaseModel, ConfigDict, Field, JsonValue

EVENTS: list[str] = []
"""What the functions did, in their order."""

RELEASED = threading.Event()
"""What the functions that block wait for."""


class Line(BaseModel):
    sku: str
    quantity: int = Field(gt=0)


class Refund(BaseModel):
    order_id: str
    lines: list[Line]


class Receipt(BaseModel):
    order_id: str
    units: int
    day: date


async def refund(refund: Refund) -> Receipt:
    return Receipt(order_id=refund.order_id, units=sum(line.quantity for line in refund.lines), day=date(2026, 11, 26))


def total(price: Decimal, quantity: int, currency: str = "EUR") -> str:
    return f"{price * quantity} {currency}"


def shout(text: str) -> str:
    return text.upper()


def branch(input: str) -> str:
    return "order" if "order" in input.casefold() else "other"


def sure(input: str) -> dict[str, object]:
    return {"answer": 42, "confidence": 0.9 if "sure" in input else 0.2}


def judge(question: str, answer: str) -> float:
    return 0.9 if question in answer else 0.1


def note(event: str) -> None:
    EVENTS.append(event)


def fail(event: str, error: str) -> None:
    EVENTS.append(event)
    raise {"ValueError": ValueError, "OSError": OSError, "SystemExit": SystemExit, "Busy": sqlite3.OperationalError}[
        error
    ](f"no {event}\nat all")


async def hang(event: str) -> None:
    EVENTS.append(f"{event} begun")
    try:
        await asyncio.Event().wait()
    finally:
        EVENTS.append(f"{event} cancelled")


def block(event: str) -> str:
    EVENTS.append(f"{event} begun")
    RELEASED.wait(30)
    EVENTS.append(f"{event} done")
    return event


def endless() -> list[float]:
    return [1.5, float("inf")]


def many(count: int) -> list[int]:
    return [0] * count


def no_json() -> object:
    return threading.Lock()


def weather(city: str, days: int = 1) -> str:
    """The weather of a city, for some days."""
    EVENTS.append(f"weather {city} {days}")
    return f"{days} days of rain in {city}"


def book(room: str, effect: str) -> str:
    """Book a room."""
    EVENTS.append(f"book {room} {effect}")
    return f"{room} is booked"


def deposit(cents: int, effect: str) -> str:
    """Pay in, once for a key, and tell what is there then; each try stands in a log of its own."""
    with closing(sqlite3.connect(environ["CONTINUO_TEST_DEPOSITS"], timeout=30, isolation_level=None)) as bank:
        bank.execute("CREATE TABLE IF NOT EXISTS tries (effect TEXT)")
        bank.execute("CREATE TABLE IF NOT EXISTS deposits (effect TEXT PRIMARY KEY, cents INTEGER)")
        bank.execute("INSERT INTO tries VALUES (?)", (effect,))
        time.sleep(0.02)
        bank.execute("INSERT OR IGNORE INTO deposits VALUES (?, ?)", (effect, cents))
        time.sleep(0.05)
    return f"{cents} cents are paid in"


def untyped(text) -> None:  # type: ignore[no-untyped-def]
    raise AssertionError


def unreadable(lock: sqlite3.Connection) -> None:
    raise AssertionError


def positional(*texts: str) -> None:
    raise AssertionError


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int = Field(alias="no")


def strict(given: Strict) -> int:
    return given.number


def anything(value: JsonValue) -> None:
    raise AssertionError
