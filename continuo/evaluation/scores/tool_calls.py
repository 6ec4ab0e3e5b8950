"""Whether an answer calls the right tools with the right arguments."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from pydantic import JsonValue, TypeAdapter, ValidationError

from continuo.data import Data
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.scores.base import Metric, lacking, right_answers
from continuo.evaluation.scores.subsequence import common
from continuo.jobs import Outcome
from continuo.messages import ToolCall

SHOWN = 120
"""Characters of a call that a score tells of."""


class Expected(Data):
    """A call that is to be made."""

    name: str
    arguments: dict[str, JsonValue] = {}

    @property
    def text(self) -> str:
        return _text(self.name, self.arguments)


_EXPECTED = TypeAdapter(tuple[Expected, ...])


class ToolCalls(Metric):
    """The F1 of the calls that the answer makes and those it should, by name and arguments: 1 where they are the same.

    A right answer is a list of calls, such as `[{"name": "weather", "arguments": {"city": "Oslo"}}]`; an empty one
    where none is to be made. Arguments are compared as JSON, in which 5 and 5.0 are one number. With `ordered` only
    calls in the order of the list count.
    """

    kind: Literal["tool_calls"] = "tool_calls"
    ordered: bool = False

    def check(self, example: Example) -> None:
        self._right(example)

    def score(self, outcome: Outcome, example: Example) -> Score:
        made = [_made(call) for call in outcome.message.tool_calls] if outcome.message else []
        return max((self._compared(made, right) for right in self._right(example)), key=lambda score: score.value)

    def _compared(self, made: Sequence[str], right: Sequence[str]) -> Score:
        shared = Counter(made) & Counter(right)
        count = common(right, made) if self.ordered else shared.total()
        absent, beside = Counter(right) - shared, Counter(made) - shared
        why = [f"{what} {call[:SHOWN]}" for what, calls in (("lacks", absent), ("has", beside)) for call in calls]
        if count < shared.total():
            why.append("calls in another order")
        sizes = len(made) + len(right)
        return Score(value=2 * count / sizes if sizes else 1.0, why="; ".join(why[:2]))

    def _right(self, example: Example) -> list[list[str]]:
        try:
            answers = [_EXPECTED.validate_python(one) for one in right_answers(self, example)]
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the list"
            wrong = f"has a right answer that is no list of calls with `name` and `arguments`: {where}: {first['msg']}"
            raise lacking(self, example, wrong) from None
        return [[call.text for call in calls] for calls in answers]


def _made(call: ToolCall) -> str:
    """Arguments that are no JSON stay as the model wrote them, and so are those of no expected call."""
    try:
        return _text(call.name, json.loads(call.arguments or "{}"))
    except (ValueError, RecursionError):
        return f"{call.name}(no JSON: {call.arguments})"


def _text(name: str, arguments: JsonValue) -> str:
    return f"{name}({json.dumps(_plain(arguments), sort_keys=True, ensure_ascii=False)})"


def _plain(value: JsonValue) -> JsonValue:
    """With whole numbers written as such."""
    match value:
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case float() if value.is_integer():
            return int(value)
    return value
