"""How the numbers and the texts of an evaluation are written, in every report alike."""

import json
import re
from collections.abc import Iterator

from pydantic import JsonValue

from continuo.evaluation.agreement import WithPeople
from continuo.evaluation.intervals import Estimate
from continuo.evaluation.results import Answer, Evaluation, Item, Summary, Tried
from continuo.starters.console.money import money
from continuo.starters.console.terminal import shown

LONGEST = 2000
"""Characters of an input or an answer in a report."""

MOST = 200
"""Items that a report shows of those that do not pass."""

_NO_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


def text(value: str, longest: int = LONGEST) -> str:
    """What a model or a person wrote, without what would act on a terminal or be no XML."""
    kept = value if len(value) <= longest else f"{value[: longest - 1]}…"
    return _NO_XML.sub("\ufffd", shown(kept))


def expected(item: Item, longest: int = LONGEST) -> str:
    return text("\n".join(map(_value, item.expected)), longest) or "-"


def answer(given: Answer, longest: int = LONGEST) -> str:
    if given.failure is not None:
        return text(f"failed: {given.failure}", longest)
    return text(given.text or "", longest) or "(empty)"


def verdict(given: Answer) -> str:
    """The scores of one answer in a line, with why where that is told."""
    return text("; ".join(_verdicts(given)))


def mean(value: Estimate | None) -> str:
    """A mean with its confidence interval."""
    return "-" if value is None else str(value)


def each(total: int, summary: Summary) -> str:
    """The share of one item."""
    return f"{total / summary.items:,.0f}"


def latency(ms: float | None) -> str:
    return "-" if ms is None else f"{ms / 1000:.2f} s"


def agreement(people: WithPeople) -> str:
    alpha = "-" if people.alpha is None else f"{people.alpha:.3f}"
    return f"kappa {people.kappa:.3f}, alpha {alpha} on {people.examples:,} answers"


def rows(evaluation: Evaluation) -> Iterator[tuple[str, ...]]:
    """A row for each pattern and below it one for each tag, with the `columns`."""
    for tried in evaluation.patterns:
        yield _row(tried.pattern, "", tried.whole, evaluation.scores)
        for tag, summary in tried.by_tag.items():
            yield _row(tried.pattern, tag, summary, evaluation.scores)


def columns(evaluation: Evaluation) -> tuple[str, ...]:
    cost = ("cost", "cost an item", "latency", "latency p95", "tokens an item")
    return ("pattern", "tag", "items", "passed", "failed", *evaluation.scores, *cost)


def notes(evaluation: Evaluation) -> Iterator[str]:
    """What a reader must know of the numbers."""
    for tried in evaluation.patterns:
        yield from _notes(tried)


def _notes(tried: Tried) -> Iterator[str]:
    if tried.simulated:
        what = "all" if tried.simulated == len(tried.answers) else f"{tried.simulated:,} of {len(tried.answers):,}"
        yield f"{tried.pattern}: {what} answers are simulated; set a provider's key to ask a real model"
    if tried.whole.failed:
        again = f"run them again: continuo batch rerun-failed {tried.batch}"
        yield f"{tried.pattern}: {tried.whole.failed:,} items have no answer and score 0; {again}"
    for name in {name: None for given in tried.answers for name in given.unscored}:
        without = [given.unscored[name] for given in tried.answers if name in given.unscored]
        yield f"{tried.pattern}: {len(without):,} answers have no score {name}: {text(without[0], 200)}"
    for name, whole in tried.corpus.items():
        yield f"{tried.pattern}: {name} of all answers together is {whole.value:.3f} ({whole.signature})"
    for name, people in tried.with_people.items():
        yield f"{tried.pattern}: {name} beside people: {agreement(people)}"
    if tried.whole.cost_usd is None:
        yield f"{tried.pattern}: the cost of some items is unknown; give their models a price in the catalog"
    if tried.scoring_usd:
        yield f"{tried.pattern}: to ask models for scores cost {money(tried.scoring_usd)} more"


def _row(pattern: str, tag: str, summary: Summary, scores: tuple[str, ...]) -> tuple[str, ...]:
    return (
        text(pattern),
        text(tag),
        f"{summary.items:,}",
        f"{summary.passed:,}",
        f"{summary.failed:,}",
        *(mean(summary.scores.get(name)) for name in scores),
        money(summary.cost_usd),
        money(summary.cost_each_usd),
        latency(summary.median_ms),
        latency(summary.p95_ms),
        f"{each(summary.input_tokens, summary)}/{each(summary.output_tokens, summary)}",
    )


def _verdicts(given: Answer) -> Iterator[str]:
    for name, score in given.scores.items():
        yield f"{name} {score.value:.2f}{f' ({score.why})' if score.why else ''}"
    for name, why in given.unscored.items():
        yield f"{name} none ({why})"


def _value(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
