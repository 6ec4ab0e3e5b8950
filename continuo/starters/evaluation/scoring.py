"""The scores of all answers of a pattern: those that a model must be asked for are batches of their own."""

from collections.abc import Mapping, Sequence

from continuo.authoring.inputs import refused_tuning
from continuo.door.request import Line, Request
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.golden_set import GoldenSet
from continuo.evaluation.scores.base import AskingMetric, Metric, NoScore
from continuo.jobs import Failure, Outcome
from continuo.parameters import Parameters
from continuo.starters.evaluation.asking import Asking

NO_ANSWER = Score(value=0.0, why="no answer")

Given = Score | str
"""A score, or why there is none."""


def scoring_patterns(golden_set: GoldenSet) -> set[str]:
    """What is asked for scores."""
    return {scorer.pattern for scorer in golden_set.scores if isinstance(scorer, AskingMetric)}


async def scored(
    asking: Asking, scorer: Metric, examples: Sequence[Example], ends: Sequence[Outcome | Failure]
) -> list[Given]:
    """What `scorer` gives for each of the `ends`, which are of the `examples`; a failure scores 0.

    Raises as `Asking.ends` does.
    """
    answered = {place: end for place, end in enumerate(ends) if isinstance(end, Outcome)}
    if isinstance(scorer, AskingMetric):
        given = await _by_asking(asking, scorer, examples, answered)
    else:
        given = {place: _given(scorer, outcome, examples[place]) for place, outcome in answered.items()}
    return [given.get(place, NO_ANSWER) for place in range(len(ends))]


async def _by_asking(
    asking: Asking, scorer: AskingMetric, examples: Sequence[Example], answered: Mapping[int, Outcome]
) -> dict[int, Given]:
    """The same where a pattern is asked about each answer that has words; one without scores 0."""
    spoken = {place: outcome for place, outcome in answered.items() if outcome.text.strip()}
    if not spoken:
        return {}
    lines = [Line(place + 1, _request(asking, scorer, one, examples[place])) for place, one in spoken.items()]
    ends = await asking.ends(scorer.pattern, scorer.name, lines)
    return {
        place: end.cause if isinstance(end, Failure) else _given(scorer, end, examples[place])
        for place, end in zip(spoken, ends, strict=True)
    }


def _given(scorer: Metric, outcome: Outcome, example: Example) -> Given:
    try:
        return scorer.score(outcome, example)
    except NoScore as error:
        return str(error)


def _request(asking: Asking, scorer: AskingMetric, outcome: Outcome, example: Example) -> Request:
    pattern, request = scorer.pattern, scorer.request(outcome, example)
    taken = request.without(refused_tuning(asking.terms[pattern].step, request, asking.catalog))
    parameters = Parameters(**{name: getattr(taken, name) for name in Parameters.model_fields})
    return Request(pattern=pattern, messages=taken.messages, system=taken.system, parameters=parameters)
