"""The ledger: a row for each answer that was paid, and for each attempt that may be paid without one."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from math import fsum

from continuo.data import Data
from continuo.jobs import CallRecord, Context, Outcome
from continuo.messages import Usage
from continuo.money import NANO
from continuo.operations.events import of_call
from continuo.stores.database import Connection, Row
from continuo.stores.events import enter_events

_COLUMNS = (
    "identity", "time", "tenant", '"user"', "pattern", "path", "model", "provider", "status",
    "input_tokens", "output_tokens", "cached_tokens", "estimated", "simulated", "cost_nanousd", "day",
    "api_key",
)  # fmt: skip
_INSERT = f"INSERT INTO ledger ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) ON CONFLICT DO NOTHING"
_SPEND = (
    "INSERT INTO accounts (tenant, day, spent_nanousd) VALUES (?, ?, ?)"
    " ON CONFLICT (tenant, day) DO UPDATE SET spent_nanousd = accounts.spent_nanousd + excluded.spent_nanousd"
)
_SPEND_OF_KEY = (
    "INSERT INTO key_accounts (api_key, period, spent_nanousd) VALUES (?, ?, ?)"
    " ON CONFLICT (api_key, period) DO UPDATE SET spent_nanousd = key_accounts.spent_nanousd + excluded.spent_nanousd"
)
_UNBOOK = (
    "DELETE FROM ledger WHERE identity = ? AND COALESCE(provider, '') = COALESCE(?, provider, '')"
    " AND estimated = 1 AND status <> 'ok' RETURNING *"
)


class Paid(Data):
    """What an attempt came to, or may come to at most, and for whom. A `record` without a cost is of unknown price."""

    record: CallRecord
    context: Context
    simulated: bool = False


class Settlement(Data):
    """The end of one attempt of a call. Settling the same one twice changes nothing.

    `identity` is the call's, and `run` the id of the whole run that made it. `paid` is None when the attempt cost
    nothing; `outcome` is the answer, if there is one. `replaces_estimates` says that the answer's cost is that of all
    attempts before it at the same provider, as with one that bills one `Idempotency-Key` once. `today` is the tenant's
    day, for a call for which no money was reserved. `question` is the digest by which a run that is begun again in
    another namespace finds the answer.
    """

    identity: str
    attempt: int
    today: date
    paid: Paid | None = None
    outcome: Outcome | None = None
    replaces_estimates: bool = True
    run: str | None = None
    question: str | None = None


def attempt_key(identity: str, attempt: int) -> str:
    """The key of the row of an attempt without an answer; an answer's row has the call's identity itself."""
    return f"{identity}#{attempt}"


def call_of(row: Row) -> str:
    """The identity of the call that a row is of."""
    return str(row["identity"].partition("#")[0])


def attempt_number(row: Row) -> int:
    """The number of the attempt that a row without an answer is of."""
    return int(row["identity"].rpartition("#")[2])


def book(connection: Connection, key: str, paid: Paid, day: str) -> bool:
    """Write one row and count it as spent on `day`; whether it is new. A second row of the same key is ignored."""
    record, context, usage = paid.record, paid.context, paid.record.usage
    cost = None if record.cost_usd is None else round(record.cost_usd * NANO)
    row = (
        key, datetime.now(UTC).isoformat(), context.tenant, context.user, context.pattern, record.path,
        record.model, record.provider, record.status, usage.input_tokens, usage.output_tokens,
        usage.cached_tokens, int(usage.estimated), int(paid.simulated), cost, day, context.key_id,
    )  # fmt: skip
    new = bool(connection.execute(_INSERT, row).rowcount)
    if new:
        _spend(connection, context.tenant, context.key_id, day, cost or 0)
    return new


def _spend(connection: Connection, tenant: str, api_key: str | None, day: str, nanousd: int) -> None:
    connection.execute(_SPEND, (tenant, day, nanousd))
    if api_key is not None:
        for period in periods(day):
            connection.execute(_SPEND_OF_KEY, (api_key, period, nanousd))


def periods(day: str) -> tuple[str, str]:
    """The day, such as 2026-11-21, and its month."""
    return day, day[:7]


def book_lost(connection: Connection, reservations: Iterable[Row]) -> None:
    """Book the attempts whose reservations were just deleted: they were sent, and died before they were answered."""
    for row in reservations:
        if row["paid"] is not None:
            key = attempt_key(row["identity"], row["attempt"])
            book(connection, key, Paid.model_validate_json(row["paid"]), row["day"])


def settle(connection: Connection, settlement: Settlement) -> bool:
    """Release the attempt's reservation and write its row; better knowledge replaces what was only estimated.

    Whether the row is new."""
    identity, attempt, paid = settlement.identity, settlement.attempt, settlement.paid
    sql = "DELETE FROM reservations WHERE identity = ? AND attempt = ? RETURNING day"
    reserved = connection.execute(sql, (identity, attempt)).fetchone()
    replaced = settlement.outcome is not None and settlement.replaces_estimates
    for number in range(1 if replaced else attempt, attempt + 1):
        provider = paid.record.provider if paid and number < attempt else None
        row = connection.execute(_UNBOOK, (attempt_key(identity, number), provider)).fetchone()
        if row is not None:
            _spend(connection, row["tenant"], row["api_key"], row["day"], -(row["cost_nanousd"] or 0))
    if paid is None:
        return False
    key = identity if settlement.outcome is not None else attempt_key(identity, attempt)
    new = book(connection, key, paid, reserved["day"] if reserved else settlement.today.isoformat())
    if paid.record.status == "ok":
        run = settlement.run or identity.partition("/")[0]
        enter_events(connection, [of_call(identity, run, paid.record, paid.context, datetime.now(UTC))])
    return new


def in_all(record: CallRecord, rows: Iterable[Row], *, answered: bool) -> CallRecord:
    """The record of an attempt with what other attempts of its call cost, given their `rows` of the ledger.

    Estimated rows of the same provider are left out when its answer has replaced them (`answered`).
    """
    counted = [row for row in rows if not (answered and row["estimated"] and row["provider"] == record.provider)]
    parts = [(record.usage, record.cost_usd), *((_usage(row), _usd(row)) for row in counted)]
    # A row that counts no tokens can cost something: audio is paid by the minute.
    paid = [cost for usage, cost in parts if usage != Usage() or cost]
    known = [cost for cost in paid if cost is not None]
    cost = record.cost_usd if not paid else None if len(known) < len(paid) else round(fsum(known), 9)
    return record.model_copy(update={"usage": sum((usage for usage, _ in parts), Usage()), "cost_usd": cost})


def _usd(row: Row) -> float | None:
    return None if row["cost_nanousd"] is None else row["cost_nanousd"] / NANO


def _usage(row: Row) -> Usage:
    return Usage(
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        cached_tokens=row["cached_tokens"],
        estimated=bool(row["estimated"]),
    )
