"""What many scored answers come to."""

from collections.abc import Sequence
from math import ceil, fsum

from continuo.evaluation.intervals import mean_interval
from continuo.evaluation.results import Answer, Item, Summary


def summarised(answers: Sequence[Answer], scores: Sequence[str], passing: float) -> Summary:
    """All of these answers together; a score is left out that none of them has."""
    costs = [answer.cost_usd for answer in answers if answer.cost_usd is not None]
    latencies = sorted(answer.latency_ms for answer in answers if answer.latency_ms is not None)
    values = {name: [answer.scores[name].value for answer in answers if name in answer.scores] for name in scores}
    return Summary(
        items=len(answers),
        passed=sum(answer.passes(passing) for answer in answers),
        failed=sum(answer.failure is not None for answer in answers),
        scores={name: mean_interval(given) for name, given in values.items() if given},
        cost_usd=round(fsum(costs), 9) if len(costs) == len(answers) else None,
        median_ms=percentile(latencies, 0.5),
        p95_ms=percentile(latencies, 0.95),
        input_tokens=sum(answer.input_tokens for answer in answers),
        output_tokens=sum(answer.output_tokens for answer in answers),
    )


def by_tag(
    items: Sequence[Item], answers: Sequence[Answer], scores: Sequence[str], passing: float
) -> dict[str, Summary]:
    """The same for each tag, in the order in which the tags first come; `answers` are those of `items`."""
    tagged: dict[str, list[Answer]] = {}
    for item, answer in zip(items, answers, strict=True):
        for tag in item.tags:
            tagged.setdefault(tag, []).append(answer)
    return {tag: summarised(some, scores, passing) for tag, some in tagged.items()}


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest of the `ordered` values that at least that share of them is not above; None without any."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None
