"""Answers that are kept for later requests, responses and completions: each is of a tenant, and points to its run."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from continuo.stores.conversations import ROOM, taken
from continuo.stores.database import Connection, Database, Row
from continuo.stores.items import Content, Size, add, copy, drop, prune
from continuo.stores.private import PrivateText

Kind = Literal["response", "completion"]
Status = Literal["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]
"""A row never says *queued*: only its run knows."""

PREFIXES: Mapping[Kind, str] = {"response": "resp_", "completion": "chatcmpl-"}
"""Before the id of the request that made it."""

_COLUMNS = (
    "id", "tenant", "kind", "created", "model", "metadata", "body", "namespace", "run", "run_id", "pattern",
    "previous", "conversation", "status", "answer",
)  # fmt: skip
_NAMES = ", ".join(_COLUMNS)
_BEGIN = (
    f"INSERT INTO answers ({_NAMES}) VALUES ({', '.join('?' * len(_COLUMNS))}) ON CONFLICT (id) DO UPDATE"
    # What failed was run again, whether that was kept or not.
    " SET status = 'in_progress', answer = NULL, run_id = excluded.run_id, namespace = excluded.namespace"
    " WHERE answers.status NOT IN ('completed', 'incomplete') AND answers.run_id <> excluded.run_id"
)
PORTION = 200
"""Rows read at once."""


@dataclass(frozen=True)
class Kept:
    """One answer. `created` is in seconds since 1970, `body` the request's as JSON without what was asked, `run` the
    workflow's id and `run_id` that of its run which was asked last, `previous` the id of the response that it goes on
    from. `answer` is there when the run has ended.
    `namespace` is that of the run, which `begin` fills in.
    """

    id: str
    tenant: str
    kind: Kind
    created: float
    model: str
    metadata: Mapping[str, str]
    body: str
    run: str
    run_id: str
    pattern: str
    previous: str | None = None
    conversation: str | None = None
    status: Status = "in_progress"
    answer: Mapping[str, Any] | None = None
    namespace: str = ""


class Answers:
    """`namespace` is the id of the one where the runs are that are begun: a database may serve several, and of a run in
    another one nothing can be known."""

    def __init__(self, database: Database, namespace: str) -> None:
        self._database = database
        self.namespace = namespace

    async def begin(self, kept: Kept, input: Content, check: Callable[[Size], None] = lambda size: None) -> None:
        """Keep an answer that is to come, or is there at once, and its `input`; one that is kept already stays as it
        is, unless its run failed and another one is asked. `check` raises where its conversation would have too much
        with it."""
        values = [_value(name, getattr(replace(kept, namespace=self.namespace), name)) for name in _COLUMNS]

        def write(connection: Connection) -> None:
            known = connection.execute("SELECT id FROM answers WHERE id = ?", (kept.id,)).fetchone()
            if known is None and kept.conversation is not None:
                connection.execute("UPDATE conversations SET used = used WHERE id = ?", (kept.conversation,))
                check(taken(connection, kept.conversation) + input.size + Size(text=ROOM))
            if connection.execute(_BEGIN, values).rowcount and known is None:
                add(connection, kept.id, input)

        await self._database.write(write)

    async def end(self, ended: Kept, output: Content, now: float) -> None:
        """Keep what its run came to, once, and with it add its input and `output` to its conversation, if it has one.

        What another run came to than the last one that was begun is not kept.
        """

        def write(connection: Connection) -> None:
            sql = "UPDATE answers SET status = ?, answer = ? WHERE id = ? AND run_id = ? AND status = 'in_progress'"
            values = (ended.status, PrivateText(json.dumps(ended.answer)), ended.id, ended.run_id)
            kept = connection.execute(sql, values).rowcount
            if not kept or ended.conversation is None or ended.status not in ("completed", "incomplete"):
                return
            sql = "UPDATE conversations SET used = ? WHERE id = ?"
            if connection.execute(sql, (now, ended.conversation)).rowcount:
                copy(connection, ended.id, ended.conversation)
                add(connection, ended.conversation, output)

        await self._database.write(write)

    async def find(self, tenant: str, kind: Kind, id: str) -> Kept | None:
        sql = f"SELECT {_NAMES} FROM answers WHERE id = ? AND tenant = ? AND kind = ?"
        rows = await self._database.read(sql, (id, tenant, kind))
        return _kept(rows[0]) if rows else None

    async def chain(self, tenant: str, id: str, most: int) -> list[Kept]:
        """The response and those before it, the oldest of at most so many first; none if there is no such response."""
        names = ", ".join(f"answers.{name}" for name in _COLUMNS)
        rows = await self._database.read(
            "WITH RECURSIVE chain (id, previous, depth) AS ("
            " SELECT id, previous, 1 FROM answers WHERE id = ? AND tenant = ? AND kind = 'response'"
            " UNION ALL SELECT answers.id, answers.previous, chain.depth + 1 FROM answers"
            " JOIN chain ON answers.id = chain.previous WHERE answers.tenant = ? AND chain.depth < ?)"
            f" SELECT {names} FROM chain JOIN answers ON answers.id = chain.id ORDER BY chain.depth DESC",
            (id, tenant, tenant, most),
        )
        return [_kept(row) for row in rows]

    async def open(self, *, conversation: str | None = None) -> AsyncIterator[Kept]:
        """Those that are to come in this namespace, of one conversation or all, the oldest first."""
        where, given = ("AND conversation = ?", [conversation]) if conversation else ("", [])
        sql = f"SELECT {_NAMES} FROM answers WHERE status = 'in_progress' AND namespace = ? {where}"
        sql += f" AND (created, id) > (?, ?) ORDER BY created, id LIMIT {PORTION}"
        async for kept in self._pages(sql, [self.namespace, *given], (0.0, "")):
            yield kept

    async def listed(
        self, tenant: str, kind: Kind, *, model: str | None, after: Kept | None, newest_first: bool
    ) -> AsyncIterator[Kept]:
        """Those that are complete, of this model if one is named."""
        compared, order = ("<", "DESC") if newest_first else (">", "ASC")
        where, given = ("AND model = ?", [tenant, kind, model]) if model else ("", [tenant, kind])
        sql = f"SELECT {_NAMES} FROM answers WHERE status = 'completed' AND tenant = ? AND kind = ? {where}"
        sql += f" AND (created, id) {compared} (?, ?) ORDER BY created {order}, id {order} LIMIT {PORTION}"
        start = (after.created, after.id) if after else (1e300 if newest_first else 0.0, "")
        async for kept in self._pages(sql, given, start):
            yield kept

    async def describe(self, tenant: str, kind: Kind, id: str, metadata: Mapping[str, str]) -> None:
        """Give it other metadata."""
        sql = "UPDATE answers SET metadata = ? WHERE id = ? AND tenant = ? AND kind = ?"
        row = (json.dumps(metadata), id, tenant, kind)
        await self._database.write(lambda connection: connection.execute(sql, row).rowcount)

    async def delete(self, kept: Kept) -> None:
        """Delete it with its content. Who repeats the request that made it asks anew."""

        def write(connection: Connection) -> None:
            connection.execute("DELETE FROM answers WHERE id = ?", (kept.id,))
            connection.execute("DELETE FROM requests WHERE id = ?", (kept.id.removeprefix(PREFIXES[kept.kind]),))
            drop(connection, [kept.id])

        await self._database.write(write)

    async def prune(self, before: float) -> None:
        """Delete what was created before that time, with its content."""
        await prune(self._database, "answers", "created", before)

    async def _pages(self, sql: str, given: list[Any], start: tuple[float, str]) -> AsyncIterator[Kept]:
        while rows := await self._database.read(sql, (*given, *start)):
            for row in rows:
                yield _kept(row)
            start = (rows[-1]["created"], rows[-1]["id"])


def _value(name: str, value: Any) -> Any:
    written = json.dumps(value) if isinstance(value, Mapping) else value
    return PrivateText(written) if name in ("body", "answer") and written is not None else written


def _kept(row: Row) -> Kept:
    answer = row["answer"]
    metadata = json.loads(row["metadata"])
    return Kept(**{**row, "metadata": metadata, "answer": None if answer is None else json.loads(answer)})
