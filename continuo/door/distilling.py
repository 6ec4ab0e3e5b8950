"""Past runs as examples for a model to learn from, without personal data and secrets."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.door.past_runs import past
from continuo.door.private import Withholding
from continuo.jobs import Context, Outcome
from continuo.messages import Message, ModelRequest
from continuo.operations.distilled import Card, example, unfit
from continuo.operations.runs import Mark, RunQuery, RunRow
from continuo.patterns import Agent
from continuo.stores.database import Database
from continuo.stores.runs import listed
from continuo.stores.turns import MissingTurn, Turns

PAGE = 500
"""Rows of the table that are read together."""

AT_ONCE = 8
"""Runs read at the same time, so that the server has others to serve."""

GONE = "what was said is kept no more"

Made = tuple[Outcome, ModelRequest, Mapping[str, int]]
"""An answer, the example that it gives, and how much was replaced in that, by its kind."""

Example = tuple[RunRow, Made]


class Distilling:
    """`turns` are those of agents; what becomes of each run that gives no example is counted on the `card`."""

    def __init__(self, client: Client, library: Library, turns: Turns, card: Card) -> None:
        self._client, self._library, self._turns, self._card = client, library, turns, card
        self._secret = Withholding(library).key.secret

    async def examples(self, database: Database, query: RunQuery, model: str | None) -> AsyncIterator[Example]:
        """An example of each run that the query wants, and that this model served, the newest first."""
        async for rows in _pages(database, query):
            wanted = [row for row in rows if model in (None, row.model)]
            for start in range(0, len(wanted), AT_ONCE):
                some = wanted[start : start + AT_ONCE]
                for row, made in zip(some, await asyncio.gather(*map(self._made, some)), strict=True):
                    if isinstance(made, str):
                        self._card.dropped[made] += 1
                    else:
                        yield row, made

    async def _made(self, row: RunRow) -> str | Made:
        """What the run gives, or why it gives nothing."""
        known = await past(self._client, row)
        if known is None:
            return GONE
        job, end = known
        if (why := unfit(job, end)) is not None:
            return why
        assert isinstance(end, Outcome)
        transcript: list[Message] = []
        if isinstance(job.step, Agent) and end.turns is not None:
            try:
                transcript = await self._turns.messages(end.turns, time.time())
            except MissingTurn:
                return GONE
        return end, *self._redacted(example(job, end, transcript), job.context)

    def _redacted(self, example: ModelRequest, context: Context) -> tuple[ModelRequest, Mapping[str, int]]:
        # They take long to load, and most commands need none of it.
        from continuo.guardrails.by_policy import recogniser
        from continuo.guardrails.private import Private

        policy = self._library.guardrails.of(context.tenant, context.pattern, context.key_id).redacting
        private = Private(policy, recogniser(policy), secret=lambda: self._secret, spread=True)
        return private.model(example), private.decision.findings


async def _pages(database: Database, query: RunQuery) -> AsyncIterator[list[RunRow]]:
    left, after = query.limit, None
    while left:
        rows = await listed(database, query.model_copy(update={"limit": min(PAGE, left)}), after)
        if not rows:
            return
        yield rows
        left, after = left - len(rows), Mark(rows[-1].started, rows[-1].run_id)
