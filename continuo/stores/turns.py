"""Turns of agents by their digests, each with that of the one before it: one digest stands for a whole transcript.

A turn is some messages that belong together, such as an answer and the results of the tools that it calls. It is kept
once, whoever goes on behind it.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import orjson
from pydantic import TypeAdapter

from continuo.data import Data
from continuo.decisions.compaction import tokens
from continuo.messages import Message
from continuo.stores.database import Connection, Database, Row
from continuo.stores.payloads import FRESH, own
from continuo.stores.private import PrivateText
from continuo.stores.pruning import PAUSE, PORTION

MOST = 2**62

_IS_LAST = (
    "NOT EXISTS (SELECT 1 FROM turns AS next WHERE next.namespace = turns.namespace AND next.parent = turns.digest)"
)

_MESSAGES = TypeAdapter(tuple[Message, ...])

_CHAIN = """
    WITH RECURSIVE chain (digest, parent, content, used, place) AS (
        SELECT digest, parent, content, used, CAST(1 AS BIGINT) FROM turns WHERE digest = ? AND namespace = ?
        UNION ALL
        SELECT turns.digest, turns.parent, turns.content, turns.used, place + 1 FROM turns
            JOIN chain ON turns.digest = chain.parent WHERE turns.namespace = ? AND place < ?
    )
"""


class Turn(Data):
    """A turn by its digest, the one of this number (`depth`) in its transcript, which is about so many `tokens`."""

    digest: str
    depth: int
    tokens: int


class Conversation(Data):
    """Whose conversation it is: what an agent is asked again under the same id goes on with it."""

    tenant: str
    pattern: str
    id: str


class MissingTurn(LookupError):
    """A turn that is not in this store: it was pruned, or another process keeps another store."""


class Turns:
    """Times are seconds since 1970, given by the caller. `namespace` is the id of the one whose histories refer to
    what is kept, as for `Payloads`."""

    def __init__(self, database: Database, namespace: str) -> None:
        self._database = database
        self._namespace = namespace

    async def add(
        self,
        parent: str | None,
        messages: Sequence[Message],
        now: float,
        conversation: Conversation | None = None,
        owner: str | None = None,
    ) -> Turn:
        """Keep the messages as the turn behind `parent`; from now on the conversation, if any, ends with it. `owner` is
        the id of the workflow that it is of.

        Raises `MissingTurn` where the parent is not kept.
        """
        before = Turn(digest="", depth=0, tokens=0) if parent is None else await self._turn(parent)
        raw = orjson.dumps({"parent": parent, "messages": _MESSAGES.dump_python(tuple(messages), mode="json")})
        turn = Turn(
            digest=sha256(raw).hexdigest(), depth=before.depth + 1, tokens=before.tokens + sum(map(tokens, messages))
        )
        row = (turn.digest, self._namespace, parent, turn.depth, turn.tokens, now, PrivateText(raw.decode()))

        def write(connection: Connection) -> None:
            # So that nobody drops it meanwhile.
            touch = "UPDATE turns SET used = ? WHERE digest = ? AND namespace = ?"
            if parent is not None and not connection.execute(touch, (now, parent, self._namespace)).rowcount:
                raise MissingTurn(f"turn {parent} is not kept here")
            connection.execute(
                "INSERT INTO turns (digest, namespace, parent, depth, tokens, used, content) VALUES (?, ?, ?, ?, ?, ?,"
                " ?) ON CONFLICT (digest, namespace) DO UPDATE SET used = excluded.used"
                " WHERE turns.used < excluded.used",
                row,
            )
            if owner is not None:
                own(connection, self._namespace, owner, [turn.digest])
            if conversation is not None:
                connection.execute(
                    "INSERT INTO agent_conversations (namespace, tenant, pattern, id, digest, used)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (namespace, tenant, pattern, id)"
                    " DO UPDATE SET digest = excluded.digest, used = excluded.used",
                    (*self._whose(conversation), turn.digest, now),
                )

        await self._database.write(write)
        return turn

    async def last(self, conversation: Conversation) -> Turn | None:
        """The turn that a conversation ends with."""
        sql = "SELECT digest FROM agent_conversations WHERE namespace = ? AND tenant = ? AND pattern = ? AND id = ?"
        rows = await self._database.read(sql, self._whose(conversation))
        return await self._turn(rows[0]["digest"]) if rows else None

    async def messages(self, digest: str, now: float, last: int | None = None) -> list[Message]:
        """The messages of that turn and those before it, at most `last` turns, oldest first; they are used now.

        Raises `MissingTurn` where one of them is not kept.
        """
        sql = f"{_CHAIN} SELECT parent, content, used FROM chain ORDER BY place DESC"
        rows = await self._database.read(sql, (digest, self._namespace, self._namespace, last or MOST))
        if not rows or (rows[0]["parent"] is not None and len(rows) != last):
            raise MissingTurn(f"turn {rows[0]['parent'] if rows else digest} is not kept here")
        if any(row["used"] < now - FRESH for row in rows):
            await self._use(digest, now, last or MOST)
        return [message for row in rows for message in _messages(row)]

    async def prune(self, before: float, needed: Callable[[str], bool], *, dry_run: bool) -> int:
        """Drop what was last used before that time and is not `needed`: conversations, and turns behind which no other
        one stands; how many turns they are."""
        old = "namespace = ? AND used < ?"
        if not dry_run:
            sql = f"DELETE FROM agent_conversations WHERE {old}"
            await self._database.write(lambda connection: connection.execute(sql, (self._namespace, before)))
        gone, last = set[str](), (0.0, "")
        page = (
            f"SELECT digest, used FROM turns WHERE {old} AND (used, digest) > (?, ?) AND {_IS_LAST}"
            f" ORDER BY used, digest LIMIT {PORTION}"
        )
        while rows := await self._database.read(page, (self._namespace, before, *last)):
            last = (rows[-1]["used"], rows[-1]["digest"])
            for row in rows:
                await self._drop(row["digest"], before, needed, gone, dry_run=dry_run)
            await asyncio.sleep(PAUSE)
        return len(gone)

    async def _drop(
        self, digest: str, before: float, needed: Callable[[str], bool], gone: set[str], *, dry_run: bool
    ) -> None:
        """Drop the last turn of a transcript, and those before it behind which no other one stands then."""
        at: str | None = digest
        while at is not None and not needed(at):
            sql = "SELECT digest, parent, used FROM turns WHERE namespace = ? AND (digest = ? OR parent = ?)"
            rows = {row["digest"]: row for row in await self._database.read(sql, (self._namespace, at, at))}
            turn = rows.pop(at, None)
            if turn is None or turn["used"] >= before or not rows.keys() <= gone:
                return
            write = partial(_dropped, values=(at, self._namespace, before))
            if not dry_run and not await self._database.write(write):
                return
            gone.add(at)
            at = turn["parent"]

    async def _use(self, digest: str, now: float, last: int) -> None:
        sql = f"{_CHAIN} SELECT digest FROM chain"
        values = (digest, self._namespace, self._namespace, last)

        def write(connection: Connection) -> None:
            for row in connection.execute(sql, values).fetchall():
                mark = "UPDATE turns SET used = ? WHERE digest = ? AND namespace = ? AND used < ?"
                connection.execute(mark, (now, row["digest"], self._namespace, now))

        await self._database.write(write)

    async def _turn(self, digest: str) -> Turn:
        sql = "SELECT digest, depth, tokens FROM turns WHERE digest = ? AND namespace = ?"
        rows = await self._database.read(sql, (digest, self._namespace))
        if not rows:
            raise MissingTurn(f"turn {digest} is not kept here")
        return Turn.model_validate(rows[0])

    def _whose(self, conversation: Conversation) -> tuple[str, str, str, str]:
        return (self._namespace, conversation.tenant, conversation.pattern, conversation.id)


def _dropped(connection: Connection, values: tuple[str, str, float]) -> int:
    sql = f"DELETE FROM turns WHERE digest = ? AND namespace = ? AND used < ? AND {_IS_LAST}"
    return connection.execute(sql, values).rowcount


def _messages(row: Row) -> tuple[Message, ...]:
    content: dict[str, Any] = orjson.loads(row["content"])
    return _MESSAGES.validate_python(content["messages"])
