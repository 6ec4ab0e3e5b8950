"""The scores of all answers of a pattern: those that a model must be asked for are batches of their own."""

from collections.abc import Callable, Mapping, Sequence

from continuo.door.batches import Line
from continuo.door.request import Request
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.golden_set import GoldenSet
from continuo.evaluation.scores.base import Metric, NoScore
from continuo.evaluation.scores.similarity import Similarity
from continuo.jobs import Failure, Outcome
from continuo.messages import Message
from continuo.parameters import Parameters
from continuo.starters.evaluation.asking import Asking

NO_ANSWER = Score(value=0.0, why="no answer")

Given = Score | str
"""A score, or why there is none."""


def scoring_patterns(golden_set: GoldenSet) -> set[str]:
    """What is asked for scores, as the library names it."""
    return {_model(scorer) for scorer in golden_set.scores if isinstance(scorer, Similarity)}


async def scored(
    asking: Asking, scorer: Metric, examples: Sequence[Example], ends: Sequence[Outcome | Failure]
) -> list[Given]:
    """What `scorer` gives for each of the `ends`, which are of the `examples`; what is no answer scores 0.

    Raises as `Asking.ends` does.
    """
    answered = {place: end for place, end in enumerate(ends) if isinstance(end, Outcome)}
    if isinstance(scorer, Similarity):
        answers = {place: end for place, end in answered.items() if end.text.strip()}
        embedded = {place: _embedding(scorer, outcome, examples[place]) for place, outcome in answers.items()}
        given = await _asked(asking, _model(scorer), scorer, examples, embedded)
    else:
        given = {place: _given(scorer.score, outcome, examples[place]) for place, outcome in answered.items()}
    return [given.get(place, NO_ANSWER) for place in range(len(ends))]


async def _asked(
    asking: Asking, pattern: str, scorer: Metric, examples: Sequence[Example], requests: Mapping[int, Request]
) -> dict[int, Given]:
    """What `scorer` gives for what `pattern` says to each request, which is about the example of its place."""
    if not requests:
        return {}
    ends = await asking.ends(pattern, scorer.name, [Line(place + 1, one) for place, one in requests.items()])
    return {
        place: end.cause if isinstance(end, Failure) else _given(scorer.score, end, examples[place])
        for place, end in zip(requests, ends, strict=True)
    }


def _given(score: Callable[[Outcome, Example], Score], outcome: Outcome, example: Example) -> Given:
    try:
        return score(outcome, example)
    except NoScore as error:
        return str(error)


def _model(scorer: Similarity) -> str:
    return f"model:{scorer.model}"


def _embedding(scorer: Similarity, outcome: Outcome, example: Example) -> Request:
    turns = tuple(Message(role="user", content=turn) for turn in scorer.turns(outcome, example))
    return Request(pattern=_model(scorer), messages=turns, parameters=Parameters(embed=True))
