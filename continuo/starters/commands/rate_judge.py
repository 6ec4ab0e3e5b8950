"""`continuo rate judge`: a model rates answers of past runs."""

import asyncio

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.errors import InputError
from continuo.operations.ratings import Dimension
from continuo.operations.to_judge import RUBRICS, JudgeQuery
from continuo.operations.to_rate import NEWEST
from continuo.starters.batches import opened_batches
from continuo.starters.commands.batch import Pace
from continuo.starters.commands.eval import EvalOptions
from continuo.starters.console.completion import Runnable
from continuo.starters.console.money import money
from continuo.starters.console.terminal import out
from continuo.starters.evaluation.asking import Asking, Incomplete, incomplete
from continuo.stores.ratings import ratings_of
from continuo.stores.runs import listed


async def judge(
    pattern: str,
    *,
    by: Runnable,
    sample: float = 0.1,
    dimension: Dimension = "overall",
    rubric: str | None = None,
    budget: float | None = None,
    since: str | None = None,
    options: EvalOptions | None = None,
) -> int:
    """Have a model rate a sample of the answers of a pattern, each once; the same command again rates what is new.

    Parameters
    ----------
    pattern
        Whose runs are rated, those of its variants and shadows alike.
    by
        The judge: a named pattern, or model:ID.
    sample
        So many of the runs, as a share from 0 to 1; a run is drawn together with its shadows.
    dimension
        In what it rates them.
    rubric
        By what it judges, in place of what is usual for the dimension.
    budget
        Begin no more when this many USD are spent.
    since
        Only runs that began at most this long ago, such as 7d, or on this day or later, such as 2026-11-21 (UTC).
    """
    from continuo.starters.evaluation.judging import Judging, judged
    from continuo.temporal.connect import connect

    options, library = options or EvalOptions(), Library()
    query = validated(
        JudgeQuery, judge=by, tenant=options.tenant, pattern=pattern, dimension=dimension, sample=sample, since=since,
        status="done", limit=NEWEST,
    )  # fmt: skip
    if by == pattern:
        raise InputError(f"--by: {by!r} would judge its own judgements; name another one")
    pace = Pace(budget=budget)
    terms = {by: await asyncio.to_thread(pace.terms, library, by, options.context())}
    async with opened_batches(library) as (batches, store):
        rows = await listed(store.database, query)
        left = query.left(rows, await ratings_of(store.database, [row.run_id for row in rows]))
        asking = Asking(batches, store, "ratings", terms, library.catalog, budget)
        judging = Judging(query, rubric or RUBRICS[dimension], asking, await connect(), library.masker)
        try:
            count = await judged(judging, left)
        except Incomplete as stopped:
            return incomplete(stopped)
    out.print(f"rated {count:,} of {len(left):,}, for {money(asking.spent)}")
    return 0
