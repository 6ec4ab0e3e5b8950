"""What the stores have of a user, found by what runs leave there, and dropped."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from continuo.operations.batches import Item, Terms
from continuo.operations.forgetting import Part
from continuo.stores.answers import PREFIXES, Kind
from continuo.stores.audit import drop_person
from continuo.stores.database import Connection, Database, Row
from continuo.stores.items import drop
from continuo.stores.ledger import Paid

PORTION = 200
"""Rows read or dropped together."""

LISTED = timedelta(minutes=1)
"""So late Temporal may list a run."""

_NAME = re.compile('"([0-9a-f]{64})"')


@dataclass
class Traces:
    """What leads to a user's rows, of one `tenant` or of all. A user whose name is personal data is kept as one whose
    name ends with `pseudonym`.

    It has the run ids of what has ended (`runs`), of steps too; the workflow ids of these runs with their tenants and
    patterns, and with those of steps (`ids`); the ids of their `jobs`, with their tenants; and the `names` of payloads
    and turns that only they name. What is `busy` is left alone.
    """

    user: str
    tenant: str | None
    pseudonym: str | None = None
    tenants: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    workflows: dict[str, tuple[str, str]] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    jobs: set[tuple[str, str]] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def is_of(self, user: object, tenant: object) -> bool:
        return self.names_user(user) and self.tenant in (None, tenant)

    def names_user(self, user: object) -> bool:
        if user == self.user:
            return True
        return self.pseudonym is not None and isinstance(user, str) and user.endswith(f"-{self.pseudonym}")

    def owns(self, owner: str) -> bool:
        """Whether a workflow, or a plain call, with this id is one of these, below one of them, or a letter of one."""
        dots = [place for place, char in enumerate(owner) if char == "."]
        above = (owner[:place] for place in dots)
        return owner in self.ids or any(id in self.ids for id in above) or owner.rpartition("/")[2] in self.runs

    @property
    def where(self) -> tuple[str, list[str]]:
        """The condition of the rows that say whose they are."""
        return self.named('"user"')

    def named(self, column: str) -> tuple[str, list[str]]:
        """The condition of the rows that have the user's name in this column."""
        where, values = f"{column} = ?", [self.user]
        if self.pseudonym is not None:
            where, values = f"({column} = ? OR {column} LIKE ?)", [self.user, f"%-{self.pseudonym}"]
        return (where, values) if self.tenant is None else (f"{where} AND tenant = ?", [*values, self.tenant])


async def trace(database: Database, traces: Traces) -> None:
    """Add what the rows say that have the user's name."""
    where, values = traces.where
    # What began a moment ago may be in no list of Temporal's yet.
    recent, known = (datetime.now(UTC) - LISTED).isoformat(), frozenset(traces.runs)

    def is_idle(run: str, time: str) -> bool:
        return run not in traces.busy and (run in known or time < recent)

    sql = f"SELECT run_id, workflow_id, tenant, pattern, started, job FROM runs WHERE {where}"
    for row in await database.read(sql, values):
        traces.tenants.add(row["tenant"])
        if is_idle(row["run_id"], row["started"]):
            traces.runs.add(row["run_id"])
            traces.workflows[row["workflow_id"]] = row["tenant"], row["pattern"]
            traces.ids.add(row["workflow_id"])
            if row["job"] is not None:
                traces.jobs.add((row["tenant"], row["job"]))
    # A step's calls have the run id of the workflow that made them.
    for row in await database.read(f"SELECT identity, tenant, time FROM ledger WHERE {where}", values):
        traces.tenants.add(row["tenant"])
        if is_idle(run := str(row["identity"])[:36], row["time"]):
            traces.runs.add(run)
    for row in await database.read(f"SELECT tenant FROM audit_people WHERE {where}", values):
        traces.tenants.add(row["tenant"])
    where, values = traces.named("rater")
    for row in await database.read(f"SELECT tenant FROM ratings WHERE {where}", values):
        traces.tenants.add(row["tenant"])


class Batch(NamedTuple):
    """A batch that ran for the user, or of which the `items` with these numbers did, and the `file` that it came in."""

    key: str
    tenant: str
    id: str
    file: str | None
    items: Sequence[int] = ()


async def batches_of(database: Database, traces: Traces, *, planned: bool = False) -> AsyncIterator[Batch]:
    """Those that do not run, or those that have the items of schedules."""
    states = "= 'planned'" if planned else "NOT IN ('loading', 'planned', 'running')"
    for row in await database.read(f"SELECT key, tenant, id, terms FROM batches WHERE state {states}"):
        if traces.tenant not in (None, row["tenant"]):
            continue
        terms = Terms.model_validate_json(row["terms"])
        file = terms.origin.file if terms.origin else None
        batch = Batch(row["key"], row["tenant"], row["id"], file)
        if traces.names_user(terms.context.user):
            yield batch
        elif items := await _items(database, batch.key, traces):
            yield batch._replace(items=items)


async def _items(database: Database, batch: str, traces: Traces) -> list[int]:
    mine, last = list[int](), 0
    sql = f"SELECT number, input FROM batch_items WHERE batch = ? AND number > ? ORDER BY number LIMIT {PORTION}"
    while rows := await database.read(sql, (batch, last)):
        last = rows[-1]["number"]
        users = {row["number"]: Item.model_validate_json(row["input"]).request.user for row in rows}
        mine += [number for number, user in users.items() if traces.names_user(user)]
    return mine


class Forgetting:
    """Drops, or with `dry_run` only counts, what the traces lead to. `store` and `large` may be the same database;
    `namespace` is the id of the one whose histories refer to what is in `large`.

    Each part can be done again, and does then what is left of it.
    """

    def __init__(self, store: Database, large: Database, namespace: str, traces: Traces, *, dry_run: bool) -> None:
        self._store = store
        self._large = large
        self._namespace = namespace
        self._traces = traces
        self._dry_run = dry_run
        self._owners = set[str]()
        self._values = set[tuple[str, str]]()

    async def by_run(self) -> dict[Part, int]:
        """What has a run's id, or was named by runs alone; the histories must have been read before."""
        counts: dict[Part, int] = {"journal": 0}
        for table in ("journal", "mcp_calls"):
            counts["journal"] += await self._drop(self._store, table, "substr(identity, 1, 36)", self._traces.runs)
        counts["requests"] = await self._requests()
        counts["answers"], counts["conversations"] = await self._answers()
        counts["batches"], counts["files"] = await self._batches()
        counts["vault"] = await self._vault()
        counts["turns"] = await self._turns()
        names, mine = self._traces.names, ("namespace = ?", (self._namespace,))
        counts["payloads"] = await self._drop(self._large, "payloads", "sha256", names, *mine)
        if not self._dry_run:
            await self._drop(self._large, "payload_owners", "owner", self._owners, *mine)
        return counts

    async def by_name(self) -> dict[Part, int]:
        """What has the user's name. It comes last: by these rows the others are known."""
        where, values = self._traces.where
        runs = await self._drop(self._store, "runs", "run_id", self._traces.runs)
        ratings = await self._ratings()
        ledger = await self._store.read(f"SELECT COUNT(*) AS count FROM ledger WHERE {where}", values)
        people = await self._store.read(f'SELECT tenant, "user" FROM audit_people WHERE {where}', values)
        if not self._dry_run:
            unnamed = f'UPDATE ledger SET "user" = NULL WHERE {where}'
            await self._store.write(lambda connection: connection.execute(unnamed, values).rowcount)
            await self._store.write(self._unnamed_reservations)
            for person in people:
                await self._store.write(partial(drop_person, tenant=person["tenant"], user=person["user"]))
        return {"runs": runs, "ratings": ratings, "ledger": int(ledger[0]["count"]), "audit": len(people)}

    async def _ratings(self) -> int:
        """What was said of the user's runs, and what the user said of any."""
        count = await self._drop(self._store, "ratings", "run_id", self._traces.runs)
        where, values = self._traces.named("rater")
        if self._dry_run:
            given = await self._store.read(f"SELECT run_id FROM ratings WHERE {where}", values)
            # Those of the user's own runs are counted already.
            return count + sum(row["run_id"] not in self._traces.runs for row in given)
        return count + await self._store.write(partial(_executed, f"DELETE FROM ratings WHERE {where}", values))

    def _unnamed_reservations(self, connection: Connection) -> None:
        rows = connection.execute("SELECT identity, attempt, paid FROM reservations WHERE paid IS NOT NULL").fetchall()
        for row in rows:
            paid = Paid.model_validate_json(row["paid"])
            if self._traces.is_of(paid.context.user, paid.context.tenant):
                context = paid.context.model_copy(update={"user": None})
                text = paid.model_copy(update={"context": context}).model_dump_json(exclude_defaults=True)
                sql = "UPDATE reservations SET paid = ? WHERE identity = ? AND attempt = ?"
                connection.execute(sql, (text, row["identity"], row["attempt"]))

    async def _answers(self) -> tuple[int, int]:
        """Answers whose run or whose request is the user's, and the conversations that they are in."""
        answers, conversations, last = list[tuple[str, Kind]](), set[str](), ""
        sql = f"SELECT id, tenant, kind, run, body, conversation FROM answers WHERE id > ? ORDER BY id LIMIT {PORTION}"
        while rows := await self._store.read(sql, (last,)):
            last = rows[-1]["id"]
            for row in filter(self._is_mine, rows):
                answers.append((row["id"], row["kind"]))
                self._values.add((row["tenant"], row["id"]))
                if row["conversation"] is not None:
                    conversations.add(row["conversation"])
                    self._values.add((row["tenant"], row["conversation"]))

        def write(page: Sequence[tuple[str, Kind]], connection: Connection) -> None:
            ids = [id for id, _ in page]
            _delete(connection, "answers", "id", ids)
            _delete(connection, "requests", "id", [id.removeprefix(PREFIXES[kind]) for id, kind in page])
            drop(connection, ids)

        def write_conversations(page: Sequence[str], connection: Connection) -> None:
            _delete(connection, "conversations", "id", page)
            drop(connection, page)

        await self._in_pages(self._store, answers, write)
        await self._in_pages(self._store, sorted(conversations), write_conversations)
        return len(answers), len(conversations)

    def _is_mine(self, row: Row) -> bool:
        if row["run"] in self._traces.workflows:
            return True
        body: dict[str, Any] = json.loads(row["body"])
        return self._traces.is_of(body.get("user"), row["tenant"])

    async def _batches(self) -> tuple[int, int]:
        """Batches that ran for the user, and items that did in others; with the files that these came in."""
        mine = [batch async for batch in batches_of(self._store, self._traces)]
        whole, items = (
            [batch.key for batch in mine if not batch.items],
            [(batch.key, number) for batch in mine for number in batch.items],
        )
        files = {batch.file for batch in mine if batch.file is not None}
        self._values |= {(batch.tenant, owner) for batch in mine for owner in (batch.id, batch.file) if owner}

        def write(page: Sequence[tuple[str, int]], connection: Connection) -> None:
            for key in page:
                connection.execute("DELETE FROM batch_items WHERE batch = ? AND number = ?", key)

        await self._in_pages(self._store, items, write)
        for table, column in (("provider_batches", "batch"), ("batch_items", "batch"), ("batches", "key")):
            await self._drop(self._store, table, column, whole)
        return len(whole) + len(items), await self._drop(self._store, "files", "id", files)

    async def _vault(self) -> int:
        """What placeholders stand for in all of these."""
        owners = {(tenant, id) for id, (tenant, _) in self._traces.workflows.items()}
        owners |= self._values | self._traces.jobs
        count = 0
        for tenant in sorted({tenant for tenant, _ in owners}):
            ids = [id for other, id in owners if other == tenant]
            count += await self._drop(self._store, "vault", "owner", ids, "tenant = ?", (tenant,))
        return count

    async def _requests(self) -> int:
        ids = {id.rpartition("/")[2] for id in self._traces.workflows}
        # Of several choices of one request each has its number behind it.
        ids |= {id.rpartition("-")[0] for id in ids}
        await self._drop(self._store, "waiters", "request", ids)
        return await self._drop(self._store, "requests", "id", ids)

    async def _turns(self) -> int:
        """The conversations of agents, and the turns of these and of runs."""
        mine, _ = await self._conversations()
        parents = await self._parents()

        def write(page: Sequence[Row], connection: Connection) -> None:
            sql = "DELETE FROM agent_conversations WHERE namespace = ? AND tenant = ? AND pattern = ? AND id = ?"
            for row in page:
                connection.execute(sql, (self._namespace, row["tenant"], row["pattern"], row["id"]))

        await self._in_pages(self._large, mine, write)
        turns, here = self._traces.names & parents.keys(), (self._namespace,)
        return await self._drop(self._large, "turns", "digest", turns, "namespace = ?", here)

    async def _conversations(self) -> tuple[list[Row], list[Row]]:
        """The conversations of agents that the user's runs spoke in, and all others."""
        spoken = {
            (tenant, pattern, id.partition(f"//{tenant}/")[2])
            for id, (tenant, pattern) in self._traces.workflows.items()
        }
        sql = "SELECT tenant, pattern, id, digest FROM agent_conversations WHERE namespace = ?"
        rows = await self._large.read(sql, (self._namespace,))
        mine = [row for row in rows if (row["tenant"], row["pattern"], row["id"]) in spoken]
        return mine, [row for row in rows if row not in mine]

    async def _parents(self) -> dict[str, str | None]:
        sql = "SELECT digest, parent FROM turns WHERE namespace = ?"
        return {row["digest"]: row["parent"] for row in await self._large.read(sql, (self._namespace,))}

    async def widen(self) -> None:
        """Add to the names those of what the user's runs own, and of all turns before the ones that are known."""
        async for row in self._owned():
            if self._traces.owns(row["owner"]):
                self._owners.add(row["owner"])
                self._traces.names.add(row["sha256"])
        mine, _ = await self._conversations()
        self._traces.names |= before(await self._parents(), [*self._traces.names, *(row["digest"] for row in mine)])

    async def _owned(self) -> AsyncIterator[Row]:
        last = ("", "")
        sql = (
            "SELECT owner, sha256 FROM payload_owners WHERE namespace = ? AND (owner, sha256) > (?, ?)"
            f" ORDER BY owner, sha256 LIMIT {PORTION}"
        )
        while rows := await self._large.read(sql, (self._namespace, *last)):
            last = rows[-1]["owner"], rows[-1]["sha256"]
            for row in rows:
                yield row

    async def spare(self, needed: Set[str]) -> None:
        """Take away from the names what is `needed`, with the turns before it, what others own, and what items of
        batches that wait, conversations and turns of others name."""
        names, last, digest = self._traces.names, ("", 0), ""
        if not names:
            return
        parents, (_, others) = await self._parents(), await self._conversations()
        needed = needed | {row["sha256"] async for row in self._owned() if row["owner"] not in self._owners}
        names -= needed | before(parents, [*needed, *(row["digest"] for row in others)])
        sql = (
            "SELECT batch, number, input FROM batch_items WHERE state = 'waiting' AND (batch, number) > (?, ?)"
            f" ORDER BY batch, number LIMIT {PORTION}"
        )
        while rows := await self._store.read(sql, last):
            last = rows[-1]["batch"], rows[-1]["number"]
            for row in rows:
                names.difference_update(_NAME.findall(row["input"]))
        sql = f"SELECT digest, content FROM turns WHERE namespace = ? AND digest > ? ORDER BY digest LIMIT {PORTION}"
        while rows := await self._large.read(sql, (self._namespace, digest)):
            digest = rows[-1]["digest"]
            for row in rows:
                if row["digest"] not in names:
                    names.difference_update(_NAME.findall(row["content"]))

    async def _drop(
        self,
        database: Database,
        table: str,
        column: str,
        values: Iterable[str],
        where: str = "1 = 1",
        given: Sequence[str] = (),
    ) -> int:
        """The rows in whose column one of the values stands; how many they are."""
        count, ordered = 0, sorted(values)
        for start in range(0, len(ordered), PORTION):
            page = ordered[start : start + PORTION]
            rest = f"FROM {table} WHERE {where} AND {column} IN ({', '.join('?' * len(page))})"
            if self._dry_run:
                count += (await database.read(f"SELECT COUNT(*) AS count {rest}", (*given, *page)))[0]["count"]
            else:
                sql, row = f"DELETE {rest}", (*given, *page)
                count += await database.write(partial(_executed, sql, row))
        return count

    async def _in_pages(
        self, database: Database, rows: Sequence[Any], write: Callable[[Sequence[Any], Connection], None]
    ) -> None:
        for start in range(0, 0 if self._dry_run else len(rows), PORTION):
            await database.write(partial(write, rows[start : start + PORTION]))


def before(parents: Mapping[str, str | None], ends: Iterable[str]) -> set[str]:
    """The turns of the transcripts that end with `ends`, of those that are turns."""
    seen = set[str]()
    for end in ends:
        at: str | None = end
        while at is not None and at in parents and at not in seen:
            seen.add(at)
            at = parents[at]
    return seen


def _delete(connection: Connection, table: str, column: str, values: Sequence[str]) -> None:
    connection.execute(f"DELETE FROM {table} WHERE {column} IN ({', '.join('?' * len(values))})", values)


def _executed(sql: str, values: Sequence[str], connection: Connection) -> int:
    return connection.execute(sql, values).rowcount
