"""`continuo rate`: people judge answers without knowing what gave them, and how far they agree."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, Parameter
from rich.prompt import Prompt
from rich.text import Text

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.operations.agreement import Agreements, agreements
from continuo.operations.ratings import Dimension, Rating
from continuo.operations.runs import RunQuery
from continuo.operations.to_rate import NEWEST, RatingQuery, Scores, ToRate
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import out
from continuo.starters.store import opened
from continuo.stores.ratings import rate as keep
from continuo.stores.ratings import ratings_of
from continuo.stores.runs import listed

rate = App(name="rate", help="Rate answers without knowing what gave them, and tell how far raters agree.")
rate.command(
    "continuo.starters.commands.rate_judge:judge",
    name="judge",
    help="Have a model rate a sample of the answers of a pattern, each once; the same command again rates what is new.",
)


@rate.default
def rate_runs(
    *,
    rater: str,
    pattern: str | None = None,
    variant: str | None = None,
    batch: str | None = None,
    since: str | None = None,
    seed: int = 0,
) -> int:
    """Show answers one by one, and ask how relevant, accurate and helpful each is: 1 to 5, s to skip it, q to end.

    What was rated is kept at once, and is not asked for again. Runs come first of which two others disagree.

    Parameters
    ----------
    rater
        Who rates.
    pattern
        Runs of this pattern alone.
    variant
        Runs that this variant of a split has answered, or its shadow of this name.
    batch
        Items of the batch with this id alone.
    since
        Only runs that began at most this long ago, such as 7d, or on this day or later, such as 2026-11-21 (UTC).
    seed
        Of the order, which is the same for all raters.
    """
    from continuo.door.exchange import exchange
    from continuo.temporal.connect import connect

    query = validated(
        RatingQuery, rater=rater, pattern=pattern, variant=variant, batch=batch, since=since, seed=seed,
        status="done", limit=NEWEST,
    )  # fmt: skip
    masker, count = Library().masker, 0
    # While it waits for a person no event loop runs, which would hold up Ctrl-C.
    with asyncio.Runner() as runner:
        client, left = runner.run(connect()), runner.run(_left(query))
        for number, one in enumerate(left, 1):
            seen = runner.run(exchange(client, one.row))
            if seen is None:
                continue
            out.print(Text(f"\n{number} of {len(left):,}", "dim"))
            out.print(Text(masker.text(seen.question), "bold"), Text(masker.text(seen.answer)), sep="\n\n", end="\n\n")
            scores, goes_on = _prompted(one.dimensions)
            runner.run(_kept(ratings := scores.of(one.row, query.rater)))
            count += bool(ratings)
            if not goes_on:
                break
    out.print(f"rated {count:,} of {len(left):,}")
    return 0


@rate.command
async def agreement(
    *,
    pattern: str | None = None,
    since: str | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Tell how far those agree who rated the same runs, and of which runs they do not.

    Parameters
    ----------
    pattern
        Runs of this pattern alone.
    since
        Only runs that began at most this long ago, such as 7d, or on this day or later, such as 2026-11-21 (UTC).
    json
        Print it as JSON.
    """
    query = validated(RunQuery, pattern=pattern, since=since, limit=NEWEST)
    async with opened() as database:
        rows = await listed(database, query)
        report = agreements(await ratings_of(database, [row.run_id for row in rows]))
    if json:
        out.out(report.model_dump_json(indent=2))
        return 0
    out.print(_dimensions(report))
    if report.judges:
        out.print(_judges(report))
    if report.disputes:
        out.print(_disputes(report))
    return 0


async def _left(query: RatingQuery) -> list[ToRate]:
    async with opened() as database:
        rows = await listed(database, query)
        return query.left(rows, await ratings_of(database, [row.run_id for row in rows]))


def _prompted(dimensions: Sequence[Dimension]) -> tuple[Scores, bool]:
    """What a person gives in these dimensions, and whether the person goes on."""
    scores = Scores()
    for dimension in dimensions:
        try:
            answer = Prompt.ask(
                f"{dimension} (1 to 5, s skips, q ends)", choices=[*"12345", "s", "q"], show_choices=False
            )
        except EOFError:
            return scores, False
        if answer == "q":
            return scores, False
        if answer != "s":
            scores = scores.model_copy(update={dimension: int(answer)})
    return scores, True


async def _kept(ratings: Sequence[Rating]) -> None:
    async with opened() as database:
        await keep(database, ratings)


def _dimensions(report: Agreements) -> FittedTable:
    table = FittedTable(
        Column("dimension"),
        Column("raters", number=True),
        Column("runs", number=True),
        Column("kappa", number=True),
        Column("alpha", number=True),
        empty="no run has been rated by two people; see `continuo rate`",
        note="kappa is Cohen's of two raters, Fleiss' of more; alpha is Krippendorff's (ordinal): 1 is full agreement",
    )
    for row in report.dimensions:
        table.add_row(row.dimension, f"{row.raters}", f"{row.runs:,}", _coefficient(row.kappa), _coefficient(row.alpha))
    return table


def _judges(report: Agreements) -> FittedTable:
    table = FittedTable(
        Column("judge"),
        Column("dimension"),
        Column("runs", number=True),
        Column("kappa", number=True),
        Column("alpha", number=True),
        note="beside the mean of what people and callers said; kappa is Cohen's with quadratic weights",
    )
    for row in report.judges:
        judge = row.judge.removeprefix("judge ")
        table.add_row(judge, row.dimension, f"{row.examples:,}", _coefficient(row.kappa), _coefficient(row.alpha))
    return table


def _disputes(report: Agreements) -> FittedTable:
    table = FittedTable(Column("disagree on"), Column("dimension"), Column("scores"), Column("settled", rank=1))
    for row in report.disputes:
        scores = ", ".join(f"{rater} {score}" for rater, score in row.scores.items())
        table.add_row(row.run_id, row.dimension, scores, "yes" if row.settled else "by a third rater")
    return table


def _coefficient(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
