"""An evaluation: each pattern answers all items, and each answer is scored."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from continuo.authoring.golden_sets import SetFile
from continuo.door.request import Line
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.golden_set import GoldenSet
from continuo.evaluation.results import Answer, Evaluation, Item, Tried
from continuo.evaluation.summaries import by_tag, summarised
from continuo.jobs import Failure, Outcome, total_cost
from continuo.messages import Usage
from continuo.starters.evaluation.asking import Asking
from continuo.starters.evaluation.items import GoldenItem
from continuo.starters.evaluation.scoring import Given, scored, whole_set


async def evaluated(asking: Asking, file: SetFile, golden: Sequence[GoldenItem], patterns: Sequence[str]) -> Evaluation:
    """The set on each of the `patterns`, one after the other.

    Raises `InputError` for an item that cannot run, and `Incomplete` where a batch stops before its end.
    """
    items = tuple(_item(one) for one in golden)
    examples = [one.example for one in golden]
    tried, first = list[Tried](), list[Outcome | Failure]()
    for pattern in patterns:
        lines = [Line(one.line, one.request.model_copy(update={"pattern": pattern})) for one in golden]
        ends = await asking.ends(pattern, str(file.items), lines)
        first = first or ends
        tried.append(await _tried(asking, file.golden_set, examples, items, pattern, ends, first))
    return Evaluation(
        golden_set=file.name,
        scores=tuple(scorer.name for scorer in file.golden_set.scores),
        passing=file.golden_set.passing,
        items=items,
        patterns=tuple(tried),
        ended=datetime.now(UTC),
    )


async def _tried(
    asking: Asking,
    known: GoldenSet,
    examples: Sequence[Example],
    items: Sequence[Item],
    pattern: str,
    ends: Sequence[Outcome | Failure],
    first: Sequence[Outcome | Failure],
) -> Tried:
    """What the `ends` come to, which are those of the last batch."""
    names = [scorer.name for scorer in known.scores]
    batch, spent = asking.ended[-1].id, asking.spent
    given = [await scored(asking, scorer, examples, ends, first) for scorer in known.scores]
    answers = [_answer(end, dict(zip(names, one, strict=True))) for end, *one in zip(ends, *given, strict=True)]
    return Tried(
        pattern=pattern,
        batch=batch,
        answers=tuple(answers),
        whole=summarised(answers, names, known.passing),
        by_tag=by_tag(items, answers, names, known.passing),
        corpus=whole_set(known.scores, examples, ends),
        scoring_usd=asking.spent - spent,
    )


def _item(one: GoldenItem) -> Item:
    example = one.example
    expected = (*([] if example.expected is None else [example.expected]), *example.any_of)
    return Item(id=example.id, line=one.line, prompt=example.prompt, expected=expected, tags=example.tags)


def _answer(end: Outcome | Failure, given: Mapping[str, Given]) -> Answer:
    usage = sum((call.usage for call in end.calls), Usage())
    own: dict[str, Any] = {"failure": end.cause} if isinstance(end, Failure) else _of_outcome(end)
    return Answer(
        **own,
        scores={name: score for name, score in given.items() if isinstance(score, Score)},
        unscored={name: why for name, why in given.items() if isinstance(why, str)},
        cost_usd=total_cost(end.calls),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
    )


def _of_outcome(outcome: Outcome) -> dict[str, Any]:
    return {"text": _text(outcome), "latency_ms": outcome.latency_ms, "simulated": outcome.simulated}


def _text(outcome: Outcome) -> str:
    """What a person reads: the text, and the calls of tools that are wished."""
    calls = outcome.message.tool_calls if outcome.message else ()
    return "\n".join([*([outcome.text] if outcome.text else []), *(f"{call.name}({call.arguments})" for call in calls)])
