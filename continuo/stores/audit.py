"""The audit: a chain of rows for each tenant, to which one appends in the transaction of what is entered."""

import os
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from hmac import new as hmac
from typing import NamedTuple

from continuo.operations.audit import Broken, Chain, Digest, Entry, Head, Link, Verification, linked, written
from continuo.stores.database import Connection, Database, Row
from continuo.stores.private import PrivateText

PORTION = 500
"""Rows read, or dropped, at once."""

_NAMES = ", ".join(Link._fields)
_INSERT = f"INSERT INTO audit ({_NAMES}) VALUES ({', '.join('?' * len(Link._fields))})"
_LOCK = (
    "INSERT INTO audit_chains (tenant, seq, hash, pruned, pruned_hash, pruned_before) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (tenant) DO UPDATE SET seq = audit_chains.seq RETURNING *"
)


class Person(NamedTuple):
    """Whom a pseudonym stands for. It is drawn by lot, and so is the salt: with this row goes all that leads to the
    person."""

    pseudonym: str
    salt: str

    def keyed(self, digest: Digest | None) -> Digest | None:
        """The digest by which no text can be guessed without the salt."""
        if digest is None:
            return None
        key = bytes.fromhex(self.salt)
        return digest.model_copy(update={"sha256": hmac(key, digest.sha256.encode(), sha256).hexdigest()})


def enter(connection: Connection, entries: Iterable[Entry]) -> list[Entry]:
    """Append the entries to the chains of their tenants, in their order; an event of a run that is entered already, or
    is older than what was pruned, is left out. Of decisions a run may have several. Those that are new.

    Whoever else appends to one of these chains waits until the transaction ends.
    """
    chains: dict[str, list[Entry]] = {}
    for entry in entries:
        chains.setdefault(entry.tenant, []).append(entry)
    # In the order of their names, so that no two processes wait for each other.
    return [entry for tenant in sorted(chains) for entry in _append(connection, tenant, chains[tenant])]


def _append(connection: Connection, tenant: str, entries: Sequence[Entry]) -> list[Entry]:
    chain = _locked(connection, tenant)
    known = _entered(connection, [entry.run for entry in entries if entry.run is not None])
    people: dict[str, Person] = {}

    def person(user: str | None) -> Person:
        name = user or ""
        if name not in people:
            people[name] = _person(connection, tenant, name)
        return people[name]

    seq, last, new = chain.seq, chain.hash, []
    for entry in entries:
        if written(entry.time) < chain.pruned_before or (entry.run, entry.event) in known:
            continue
        if entry.run is not None and entry.event != "decided":
            known.add((entry.run, entry.event))
        whose = person(entry.user)
        update = {
            "user": entry.user and whose.pseudonym,
            "reviewer": entry.reviewer and person(entry.reviewer).pseudonym,
            "input": whose.keyed(entry.input),
            "output": whose.keyed(entry.output),
        }
        link = linked(entry.model_copy(update=update), seq + 1, last)
        connection.execute(_INSERT, link)
        seq, last = link.seq, link.hash
        new.append(entry)
    connection.execute("UPDATE audit_chains SET seq = ?, hash = ? WHERE tenant = ?", (seq, last, tenant))
    return new


def _locked(connection: Connection, tenant: str) -> Chain:
    return Chain.model_validate(connection.execute(_LOCK, tuple(Chain(tenant=tenant).model_dump().values())).fetchone())


def _entered(connection: Connection, runs: Sequence[str]) -> set[tuple[str | None, str]]:
    if not runs:
        return set()
    sql = f"SELECT run, event FROM audit WHERE event <> 'decided' AND run IN ({', '.join('?' * len(runs))})"
    return {(row["run"], row["event"]) for row in connection.execute(sql, runs).fetchall()}


def _person(connection: Connection, tenant: str, user: str) -> Person:
    """That user; the empty name is for all of whom none is known."""
    sql = 'SELECT pseudonym, salt FROM audit_people WHERE tenant = ? AND "user" = ?'
    row = connection.execute(sql, (tenant, user)).fetchone()
    if row is None:
        # Nobody else does the same meanwhile, since the chain is locked.
        row = {"pseudonym": os.urandom(16).hex(), "salt": os.urandom(32).hex()}
        sql = 'INSERT INTO audit_people (tenant, "user", pseudonym, salt) VALUES (?, ?, ?, ?)'
        connection.execute(sql, (tenant, user, row["pseudonym"], PrivateText(row["salt"])))
    return Person(**row)


def drop_person(connection: Connection, tenant: str, user: str) -> bool:
    """Drop what leads from the rows of a tenant's chain to the user, and enter that; whether there was anything."""
    _locked(connection, tenant)
    sql = 'DELETE FROM audit_people WHERE tenant = ? AND "user" = ? RETURNING pseudonym'
    if connection.execute(sql, (tenant, user)).fetchone() is None:
        return False
    _append(connection, tenant, [Entry(event="forgot", time=datetime.now(UTC), tenant=tenant)])
    return True


async def chains(database: Database, tenant: str | None = None) -> list[Chain]:
    """What is known of every chain, or of one tenant's, apart from its rows."""
    where, values = ("WHERE tenant = ?", [tenant]) if tenant else ("", [])
    rows = await database.read(f"SELECT * FROM audit_chains {where} ORDER BY tenant", values)
    return [Chain.model_validate(row) for row in rows]


async def links(database: Database, tenant: str, after: int = 0, since: datetime | None = None) -> AsyncIterator[Link]:
    """The rows of a tenant's chain behind the number `after`, in their order, of what was at `since` or later."""
    sql = f"SELECT {_NAMES} FROM audit WHERE tenant = ? AND seq > ? AND time >= ? ORDER BY seq LIMIT {PORTION}"
    while rows := await database.read(sql, (tenant, after, written(since) if since else "")):
        for row in rows:
            yield Link(**row)
        after = rows[-1]["seq"]


async def newest(database: Database, tenant: str, limit: int) -> list[Link]:
    """The last rows of a tenant's chain in which something was decided, the newest first."""
    sql = f"SELECT {_NAMES} FROM audit WHERE tenant = ? AND entry LIKE ? ORDER BY seq DESC LIMIT ?"
    return [Link(**row) for row in await database.read(sql, (tenant, '%"decisions":[%', limit))]


async def of_runs(database: Database, runs: Sequence[str]) -> list[Link]:
    """The rows of these run ids, in the order in which they were entered."""
    sql = f"SELECT {_NAMES} FROM audit WHERE run IN ({', '.join('?' * len(runs))}) ORDER BY tenant, seq"
    return [Link(**row) for row in await database.read(sql, runs)] if runs else []


async def name_of(database: Database, tenant: str, pseudonym: str) -> str | None:
    """The user behind a pseudonym; None for one who was forgotten."""
    sql = 'SELECT "user" FROM audit_people WHERE tenant = ? AND pseudonym = ?'
    rows: list[Row] = await database.read(sql, (tenant, pseudonym))
    return rows[0]["user"] if rows else None


async def verified(database: Database, tenant: str, kept: Sequence[Head] = ()) -> Broken | int:
    """How many rows the tenant's chain has, or where it is not as it was written. It may grow, and be pruned,
    meanwhile."""
    while True:
        known = await chains(database, tenant)
        chain = known[0] if known else Chain(tenant=tenant)
        broken = await _look(database, chain, verification := Verification(chain, kept))
        # The rows that were missed may have been pruned after it was known which are.
        now = await chains(database, tenant)
        if broken is None or not now or now[0].pruned == chain.pruned:
            return broken or verification.rows


async def _look(database: Database, chain: Chain, verification: Verification) -> Broken | None:
    async for link in links(database, chain.tenant, chain.pruned):
        if link.seq > chain.seq:
            break
        if broken := verification.broken_at(link):
            return broken
    return verification.broken_end()


async def prune(database: Database, tenant: str, before: datetime, *, dry_run: bool) -> int:
    """Cut off the rows of the tenant's chain before the first one that is not from `before` that time; how many.

    That they were pruned is entered first. Stopped anywhere, the next time does the rest.
    """
    known = await chains(database, tenant)
    if not known:
        return 0
    chain, text = known[0], written(before)
    first = "SELECT MIN(seq) AS seq FROM audit WHERE tenant = ? AND time >= ?"
    until = ((await database.read(first, (tenant, text)))[0]["seq"] or chain.seq + 1) - 1
    if until <= chain.pruned or dry_run:
        return max(0, until - chain.pruned)
    entry = Entry(event="pruned", time=datetime.now(UTC), tenant=tenant, until=until)
    await database.write(lambda connection: _append(connection, tenant, [entry]))

    def cut(connection: Connection) -> int:
        pruned = _locked(connection, tenant).pruned
        last = min(until, pruned + PORTION)
        sql = "SELECT hash FROM audit WHERE tenant = ? AND seq = ?"
        if last <= pruned or (row := connection.execute(sql, (tenant, last)).fetchone()) is None:
            return 0
        sql = "UPDATE audit_chains SET pruned = ?, pruned_hash = ?, pruned_before = ? WHERE tenant = ?"
        connection.execute(sql, (last, row["hash"], text, tenant))
        sql = "DELETE FROM audit WHERE tenant = ? AND seq <= ?"
        return connection.execute(sql, (tenant, last)).rowcount

    count = 0
    while dropped := await database.write(cut):
        count += dropped
    return count
