"""The scores of all answers of a pattern: those that a model must be asked for are batches of their own."""

from collections.abc import Iterable, Mapping, Sequence

from continuo.door.request import Line
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.golden_set import GoldenSet
from continuo.evaluation.scores.base import AskingMetric, Metric, NoScore, PatternMetric, right_texts
from continuo.evaluation.scores.corpus import CorpusMetric, CorpusScore, corpus
from continuo.evaluation.scores.preference import TIE, Preference
from continuo.jobs import Failure, Outcome
from continuo.messages import ModelRequest
from continuo.starters.evaluation.asking import Asking

NO_ANSWER = Score(value=0.0, why="no answer")
ALONE = Score(value=1.0, why="the first pattern has no answer")

Given = Score | str
"""A score, or why there is none."""


def scoring_patterns(golden_set: GoldenSet) -> set[str]:
    """What is asked for scores."""
    return {scorer.pattern for scorer in golden_set.scores if isinstance(scorer, PatternMetric)}


async def scored(
    asking: Asking,
    scorer: Metric,
    examples: Sequence[Example],
    ends: Sequence[Outcome | Failure],
    first: Sequence[Outcome | Failure],
) -> list[Given]:
    """What `scorer` gives for each of the `ends`, which are of the `examples`; `first` are those of the first pattern.
    A failure scores 0, and so does an answer without words that a pattern would be asked about.

    Raises as `Asking.ends` does.
    """
    answered = {place: end for place, end in enumerate(ends) if isinstance(end, Outcome)}
    spoken = {place: outcome for place, outcome in answered.items() if outcome.text.strip()}
    match scorer:
        case AskingMetric():
            given = await _by_asking(asking, scorer, examples, spoken)
        case Preference():
            given = await _by_comparing(asking, scorer, examples, spoken, first)
        case _:
            given = {place: _given(scorer, outcome, examples[place]) for place, outcome in answered.items()}
    return [given.get(place, NO_ANSWER) for place in range(len(ends))]


def whole_set(
    scorers: Iterable[Metric], examples: Sequence[Example], ends: Sequence[Outcome | Failure]
) -> dict[str, CorpusScore]:
    """What those that are made for whole sets give for all answers together."""
    answered = [(end.text, example) for end, example in zip(ends, examples, strict=True) if isinstance(end, Outcome)]
    return {
        scorer.name: corpus(scorer, [(text, right_texts(scorer, example)) for text, example in answered])
        for scorer in scorers
        if isinstance(scorer, CorpusMetric) and answered
    }


async def _by_asking(
    asking: Asking, scorer: AskingMetric, examples: Sequence[Example], spoken: Mapping[int, Outcome]
) -> dict[int, Given]:
    requests = [(place, scorer.request(outcome, examples[place])) for place, outcome in spoken.items()]
    ends = await _answers(asking, scorer, requests)
    return {
        place: end.cause if isinstance(end, Failure) else _given(scorer, end, examples[place])
        for place, end in zip(spoken, ends, strict=True)
    }


async def _by_comparing(
    asking: Asking,
    scorer: Preference,
    examples: Sequence[Example],
    spoken: Mapping[int, Outcome],
    first: Sequence[Outcome | Failure],
) -> dict[int, Given]:
    """Nobody is asked about the same answer twice, as all of the first pattern's are."""
    given, pairs = dict[int, Given](), dict[int, Outcome]()
    for place, outcome in spoken.items():
        other = first[place]
        if isinstance(other, Failure):
            given[place] = ALONE
        elif outcome.text == other.text:
            given[place] = TIE
        else:
            pairs[place] = other
    requests = [
        (place, request)
        for place, other in pairs.items()
        for request in scorer.requests(spoken[place], other, examples[place])
    ]
    ends = await _answers(asking, scorer, requests)
    return given | {
        place: _preferred(scorer, before, behind)
        for place, before, behind in zip(pairs, ends[::2], ends[1::2], strict=True)
    }


def _given(scorer: Metric, outcome: Outcome, example: Example) -> Given:
    try:
        return scorer.score(outcome, example)
    except NoScore as error:
        return str(error)


def _preferred(scorer: Preference, before: Outcome | Failure, behind: Outcome | Failure) -> Given:
    if isinstance(before, Failure):
        return before.cause
    if isinstance(behind, Failure):
        return behind.cause
    try:
        return scorer.scored(before, behind)
    except NoScore as error:
        return str(error)


async def _answers(
    asking: Asking, scorer: PatternMetric, requests: Sequence[tuple[int, ModelRequest]]
) -> list[Outcome | Failure]:
    """How each request has ended that is made of the answer at that place: an answer may hold what is refused."""
    if not requests:
        return []
    lines = [Line(place + 1, asking.request(scorer.pattern, request)) for place, request in requests]
    return await asking.ends(scorer.pattern, scorer.name, lines, without_refused=True)
