"""An evaluation as Markdown, for a comment or a page: what models wrote can neither be markup nor mention anybody."""

import re
from collections.abc import Iterator, Sequence

from continuo.evaluation.results import Evaluation
from continuo.starters.evaluation import words

LONGEST = 500
"""Characters of each text."""

_MARKUP = re.compile(r"[!#$&*<>@\[\\\]_`{|}~]")


def report(evaluation: Evaluation) -> str:
    return "\n".join(_lines(evaluation)) + "\n"


def _lines(evaluation: Evaluation) -> Iterator[str]:
    yield f"# {_plain(evaluation.golden_set)}"
    yield ""
    yield f"{len(evaluation.items):,} items, {evaluation.ended:%Y-%m-%d %H:%M} UTC. Scores with their 95 % interval."
    yield ""
    yield from _table(words.columns(evaluation), [[_plain(cell) for cell in row] for row in words.rows(evaluation)])
    yield ""
    for note in words.notes(evaluation):
        yield f"- {_plain(note)}"
    places = evaluation.not_passed()
    if not places:
        return
    yield ""
    yield f"## {len(places):,} items that do not pass"
    yield ""
    head = ("line", "input", "expected", *(_plain(tried.pattern) for tried in evaluation.patterns))
    yield from _table(head, [_cells(evaluation, place) for place in places[: words.MOST]])
    if more := len(places[words.MOST :]):
        yield ""
        yield f"{more:,} more are not shown."


def _cells(evaluation: Evaluation, place: int) -> list[str]:
    item, answers = evaluation.items[place], [tried.answers[place] for tried in evaluation.patterns]
    given = [f"{_code(words.answer(one, LONGEST))}<br>{_plain(words.verdict(one))}" for one in answers]
    texts = (words.text(item.prompt, LONGEST), words.expected(item, LONGEST))
    return [f"{item.line}", *map(_code, texts), *given]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", text).replace("\n", "<br>")


def _code(text: str) -> str:
    """Within `code` nobody is mentioned."""
    return f"<code>{_plain(text)}</code>" if text else ""
