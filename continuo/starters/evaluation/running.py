"""An evaluation: each pattern answers all items, and each answer is scored."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from continuo.authoring.golden_sets import SetFile
from continuo.door.batches import Line
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.results import Answer, Evaluation, Item, Tried
from continuo.evaluation.scores.base import NoScore
from continuo.evaluation.summaries import by_tag, summarised
from continuo.jobs import Failure, Outcome, total_cost
from continuo.messages import Usage
from continuo.operations.batches import Terms
from continuo.starters.evaluation.asking import Asking
from continuo.starters.evaluation.items import GoldenItem

FAILED = Score(value=0.0, why="no answer")


async def evaluated(
    asking: Asking, file: SetFile, golden: Sequence[GoldenItem], patterns: Mapping[str, Terms]
) -> Evaluation:
    """The set on each of the `patterns`, one after the other.

    Raises `InputError` for an item that cannot run, and `Incomplete` where a batch stops before its end.
    """
    known = file.golden_set
    names = tuple(scorer.name for scorer in known.scores)
    items = tuple(_item(one) for one in golden)
    examples = [one.example for one in golden]
    tried = []
    for pattern, terms in patterns.items():
        lines = [Line(one.line, one.request.model_copy(update={"pattern": pattern})) for one in golden]
        batch, ends = await asking.ends(terms, str(file.items), lines)
        answers = tuple(_answer(end, example, file) for end, example in zip(ends, examples, strict=True))
        whole = summarised(answers, names, known.passing)
        tags = by_tag(items, answers, names, known.passing)
        tried.append(Tried(pattern=pattern, batch=batch.id, answers=answers, whole=whole, by_tag=tags))
    return Evaluation(
        golden_set=file.name,
        ended=datetime.now(UTC),
        scores=names,
        passing=known.passing,
        items=items,
        patterns=tuple(tried),
    )


def _item(one: GoldenItem) -> Item:
    example = one.example
    expected = (*([] if example.expected is None else [example.expected]), *example.any_of)
    return Item(id=example.id, line=one.line, prompt=example.prompt, expected=expected, tags=example.tags)


def _answer(end: Outcome | Failure, example: Example, file: SetFile) -> Answer:
    usage = sum((call.usage for call in end.calls), Usage())
    counted = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    scorers, cost = file.golden_set.scores, total_cost(end.calls)
    if isinstance(end, Failure):
        scores = {scorer.name: FAILED for scorer in scorers}
        return Answer(failure=end.cause, scores=scores, cost_usd=cost, **counted)
    scores, unscored = dict[str, Score](), dict[str, str]()
    for scorer in scorers:
        try:
            scores[scorer.name] = scorer.score(end, example)
        except NoScore as error:
            unscored[scorer.name] = str(error)
    return Answer(
        text=_text(end),
        scores=scores,
        unscored=unscored,
        simulated=end.simulated,
        cost_usd=cost,
        latency_ms=end.latency_ms,
        **counted,
    )


def _text(outcome: Outcome) -> str:
    """What a person reads: the text, and the calls of tools that were wished."""
    calls = outcome.message.tool_calls if outcome.message else ()
    return "\n".join([*([outcome.text] if outcome.text else []), *(f"{call.name}({call.arguments})" for call in calls)])
