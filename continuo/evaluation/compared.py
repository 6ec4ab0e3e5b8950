"""Two evaluations of one set, compared as a gate does."""

from collections.abc import Callable, Mapping, Sequence

from continuo.errors import InputError
from continuo.evaluation.gate import Limits, Sides, Verdict, judge
from continuo.evaluation.results import Answer, Evaluation, Tried

Value = Callable[[Answer], float | None]

AMOUNTS: Mapping[str, Value] = {
    "cost": lambda answer: answer.cost_usd,
    "latency": lambda answer: answer.latency_ms,
    "tokens": lambda answer: answer.input_tokens + answer.output_tokens,
}
"""What may have a limit in `max_ratio`."""


def compared(baseline: Evaluation, candidate: Evaluation, limits: Limits) -> dict[str, Verdict]:
    """A verdict on each of the candidate's patterns, beside the baseline's of the same name; where both have one alone,
    beside that. With several patterns each has its share of `alpha`.

    Items are known by their ids; one that lacks a value at either side does not count. Raises `InputError` where there
    is nothing to compare.
    """
    pairs = _pairs(baseline, candidate)
    if not (scores := [name for name in candidate.scores if name in baseline.scores]):
        raise InputError(f"the baseline has none of the scores {', '.join(candidate.scores)}; run it anew")
    share = limits.model_copy(update={"alpha": limits.alpha / len(pairs)})
    verdicts = {}
    for before, after in pairs:
        verdicts[after.pattern] = _verdict(((baseline, before), (candidate, after)), scores, share)
    return verdicts


def within(evaluation: Evaluation, before: str, after: str, limits: Limits) -> Verdict:
    """A verdict on the pattern `after` beside the pattern `before`, of one evaluation. Raises `InputError` where it has
    not both."""
    tried = {one.pattern: one for one in evaluation.patterns}
    if before not in tried or after not in tried:
        fix = f"continuo eval run {evaluation.golden_set} --pattern {before} --pattern {after}"
        raise InputError(f"the last evaluation of {evaluation.golden_set} is not of both; run {fix}")
    return _verdict(((evaluation, tried[before]), (evaluation, tried[after])), evaluation.scores, limits)


def _verdict(beside: Sequence[tuple[Evaluation, Tried]], scores: Sequence[str], limits: Limits) -> Verdict:
    metrics = {name: Sides(*(_values(*side, _score(name)) for side in beside)) for name in scores}
    amounts = {name: Sides(*(_values(*side, value) for side in beside)) for name, value in AMOUNTS.items()}
    return judge(metrics, amounts, limits)


def _pairs(baseline: Evaluation, candidate: Evaluation) -> list[tuple[Tried, Tried]]:
    if len(baseline.patterns) == len(candidate.patterns) == 1:
        return [(baseline.patterns[0], candidate.patterns[0])]
    before = {tried.pattern: tried for tried in baseline.patterns}
    if missing := [tried.pattern for tried in candidate.patterns if tried.pattern not in before]:
        known = ", ".join(before)
        raise InputError(f"the baseline has no pattern {missing[0]!r} but {known}; run both on the same patterns")
    return [(before[tried.pattern], tried) for tried in candidate.patterns]


def _values(evaluation: Evaluation, tried: Tried, value: Value) -> dict[str, float]:
    known = ((item.id, value(answer)) for item, answer in zip(evaluation.items, tried.answers, strict=True))
    return {id: one for id, one in known if one is not None}


def _score(name: str) -> Value:
    return lambda answer: answer.scores[name].value if name in answer.scores else None
