"""An evaluation on a terminal: a table, and the first items that do not pass."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from continuo.evaluation.results import Evaluation
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import wrapped
from continuo.starters.evaluation import words

FIRST = 5
"""Items that are shown of those that do not pass."""

LONGEST = 300
"""Characters of each text."""

RANKS = {"items": 4, "cost": 3, "latency": 1, "latency p95": 2, "tokens an item": 5}
"""Which columns go first where there is no room for all."""


def report(evaluation: Evaluation) -> Iterator[RenderableType]:
    names = words.columns(evaluation)
    tagged = any(tried.by_tag for tried in evaluation.patterns)
    kept = [place for place, name in enumerate(names) if name != "tag" or tagged]
    table = FittedTable(
        *(Column(names[at], RANKS.get(names[at], 0), names[at] not in ("pattern", "tag")) for at in kept)
    )
    for row in words.rows(evaluation):
        table.add_row(*(row[place] for place in kept))
    yield table
    places = evaluation.not_passed()
    for place in places[:FIRST]:
        yield from _item(evaluation, place)
    if (more := len(places) - FIRST) > 0:
        yield f"and {more:,} more items that do not pass; --html FILE or --markdown FILE shows them"
    yield from (wrapped(note) for note in words.notes(evaluation))


def _item(evaluation: Evaluation, place: int) -> Iterator[RenderableType]:
    item = evaluation.items[place]
    yield Text(f"\nline {item.line} ({words.text(item.id, LONGEST)})", style="bold")
    yield wrapped(f"  input: {words.text(item.prompt, LONGEST)}")
    yield wrapped(f"  expected: {words.expected(item, LONGEST)}")
    for tried in evaluation.patterns:
        given = tried.answers[place]
        yield wrapped(f"  {tried.pattern}: {words.answer(given, LONGEST)}")
        yield wrapped(f"    {words.verdict(given)}")
