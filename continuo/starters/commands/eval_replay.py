"""`continuo eval replay`: a pattern over a table of what models answered, as if they were asked."""

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from continuo.authoring.files import is_file
from continuo.evaluation.replay import answerable, taken
from continuo.evaluation.savings import Figures, Savings, savings
from continuo.evaluation.table import read_table
from continuo.starters.console.completion import Runnable
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import err, out

Flag = Annotated[bool, Parameter(negative=())]


async def replay(
    table: Path,
    *,
    pattern: Runnable,
    limit: Annotated[int | None, Parameter(validator=validators.Number(gte=1))] = None,
    offline: Flag = False,
    json: Flag = False,
) -> int:
    """Run a pattern over a table of what models answered, and tell what it saves and what accuracy that costs.

    Parameters
    ----------
    table
        JSON lines, perhaps gzipped: what models answered to prompts, whether that was right, and what it cost.
    pattern
        A named pattern, a YAML file, or model:ID, of models of the table.
    limit
        Only so many questions, the first ones.
    offline
        Take the decisions of calls, cascades and routes in this process, in place of running each question.
    json
        Print it as JSON.
    """
    from continuo.starters.replaying import as_in_table, run_through, table_project

    every = await asyncio.to_thread(read_table, table)
    named = str(Path(pattern).resolve()) if is_file(pattern) else pattern
    with table_project(every) as library:
        step = as_in_table(library.step(named))
        whole = answerable(step, every)
        questions = whole[:limit]
        if skipped := len(every) - len(whole):
            err.print(f"{skipped:,} questions are left out: not every model of the pattern has answered them")
        if offline:
            went = [taken(step, question) for question in questions]
        else:
            went = await run_through(library, named, questions)
    result = savings(step, questions, went)
    if json:
        out.out(result.model_dump_json(indent=2))
        return 0
    out.print(_table(result))
    for line in sentences(result):
        out.print(line)
    return 0


def _table(result: Savings) -> FittedTable:
    table = FittedTable(
        Column(f"{result.questions:,} questions"),
        Column("right", number=True),
        Column("per 1,000", number=True),
        Column("saved", number=True),
    )
    dear = result.dearest.cost_usd

    def add(name: str, figures: Figures) -> None:
        saved = f"{1 - figures.cost_usd / dear:.1%}" if dear else ""
        table.add_row(name, f"{figures.accuracy:.1%}", f"${figures.cost_usd * 1000:.4f}", saved)

    add("the pattern", result.pattern)
    add(f"{result.dearest_model} alone", result.dearest)
    add(f"{result.cheapest_model} alone", result.cheapest)
    if result.mix is not None:
        add("these two at random", Figures(accuracy=result.mix, cost_usd=result.pattern.cost_usd))
    return table


def sentences(result: Savings) -> list[str]:
    """What it comes to."""
    dearest, lost = result.dearest_model, result.lost * 100
    stood = ", ".join(f"{model} {share:.1%}" for model, share in result.answered.items())
    lines = [
        f"saves {result.saved:.1%} against {dearest} alone, and loses {lost:.1f} points of accuracy",
        f"whose answer stood: {stood}",
    ]
    if result.beyond_mix is None or result.error is None:
        return lines
    beyond = f"{result.beyond_mix * 100:+.1f} points, give or take {result.error * 100:.1f}"
    at_random = f"asking {result.cheapest_model} or {dearest} at random at the same cost: {beyond}"
    if not result.worthless:
        return [*lines, f"better than {at_random}"]
    fix = "try other thresholds, or: continuo tune PATTERN --table TABLE"
    return [*lines, f"worthless, as far as these questions show: no better than {at_random}; {fix}"]
