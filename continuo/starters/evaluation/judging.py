"""Past runs that a judge rates, some dozens at a time: what was rated is kept before the next ones are begun."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from continuo.door.request import Line
from continuo.evaluation.judge import graded, grading
from continuo.evaluation.scores.base import NoScore
from continuo.jobs import Outcome
from continuo.operations.runs import RunRow
from continuo.operations.to_judge import JudgeQuery
from continuo.protection.masking import Masker
from continuo.starters.evaluation.asking import Asking
from continuo.stores.ratings import rate

if TYPE_CHECKING:
    from temporalio.client import Client

TOGETHER = 50
"""Runs of a batch. Whoever stops a command has at most so many answers paid that are asked for again, and these only
where runs have come in between: the same ones are the same batch."""

LONGEST = 500_000
"""Characters of a question and its answer that a judge is shown."""


class Judging(NamedTuple):
    """A judge, by what it rates, and whom it asks."""

    query: JudgeQuery
    rubric: str
    asking: Asking
    client: "Client"
    masker: Masker


async def judged(judging: Judging, rows: Sequence[RunRow]) -> int:
    """Have the runs rated, and keep that; how many were. Raises as `Asking.ends` does."""
    count = 0
    for start in range(0, len(rows), TOGETHER):
        count += await _together(judging, rows[start : start + TOGETHER])
    return count


async def _together(judging: Judging, rows: Sequence[RunRow]) -> int:
    from continuo.door.exchange import exchange

    query, asking, mask = judging.query, judging.asking, judging.masker.text
    seen = await asyncio.gather(*(exchange(judging.client, row) for row in rows))
    shown = [
        (row, grading(judging.rubric, mask(one.question), None, mask(one.answer), "grade"))
        for row, one in zip(rows, seen, strict=True)
        if one is not None and one.answer.strip() and len(one.question) + len(one.answer) <= LONGEST
    ]
    if not shown:
        return 0
    lines = [Line(number, asking.request(query.judge, request)) for number, (_, request) in enumerate(shown, 1)]
    ends = await asking.ends(query.judge, f"runs of {query.pattern}", lines, without_refused=True)
    ratings = []
    for (row, _), end in zip(shown, ends, strict=True):
        if isinstance(end, Outcome):
            try:
                score = graded(end.text, "grade")
            except NoScore:
                continue
            ratings.append(query.rating(row, score.value, score.why))
    await rate(asking.store.database, ratings)
    return len(ratings)
