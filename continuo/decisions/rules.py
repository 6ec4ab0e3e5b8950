"""Which rule holds for a request: the first of which every condition does."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache, partial
from typing import NamedTuple

from pydantic import JsonValue

from continuo.config.rules import Rule, Rules, Value
from continuo.decisions.folding import Phrases, folded
from continuo.decisions.likeness import NOTHING, Examples, Nearest
from continuo.decisions.prompts import filled
from continuo.errors import InputError
from continuo.patterns import PLACEHOLDER
from continuo.regex import Regex, compiled


class Question:
    """What rules go by: what the user said last, the data beside it, the pattern by the name that was asked for, for
    which tenant and when; `now` has a time zone."""

    def __init__(self, text: str, data: Mapping[str, JsonValue], tenant: str, pattern: str, now: datetime) -> None:
        self.text = text
        self.data = data
        self.tenant = tenant
        self.pattern = pattern
        self.now = now

    @cached_property
    def whole(self) -> str:
        """The text with a question mark for each half of a character, which no regular expression is searched in."""
        return self.text.encode(errors="replace").decode()

    @cached_property
    def folded(self) -> str:
        return folded(self.text)


FindsNearest = Callable[[], Mapping[str, Nearest]]


class Condition(NamedTuple):
    """A condition of a rule, by its field, whether it holds, and what was seen: None where nothing was."""

    field: str
    holds: bool
    seen: object


class RuleBook:
    """Rules that are ready to be decided by."""

    def __init__(self, rules: Rules) -> None:
        """Raises `InputError` naming the rule and the field that is wrong."""
        self.rules = rules.rules
        self.phrases: dict[str, Phrases] = {}
        self._regexes: dict[str, Regex] = {}
        for rule in self.rules:
            try:
                self.phrases[rule.name] = Phrases(rule.when.any_of)
                if rule.when.matches is not None:
                    self._regexes[rule.name] = compiled(rule.when.matches)
            except ValueError as error:
                field = "matches" if rule.name in self.phrases else "any_of"
                raise InputError(f"rule {rule.name!r}: {field}: {error}") from None
        self._examples = Examples({rule.name: rule.when.like for rule in self.rules if rule.when.like})

    def decided(self, question: Question) -> Rule | None:
        """The rule that decides; None where none holds."""
        nearest = cache(partial(self._examples.nearest, question.text))
        holding = (rule for rule in self.rules if all(one.holds for one in self._conditions(rule, question, nearest)))
        return next(holding, None)

    def conditions(self, rule: Rule, question: Question) -> list[Condition]:
        """Every condition of the rule."""
        return list(self._conditions(rule, question, partial(self._examples.nearest, question.text)))

    def taking(self, text: str) -> list[Rule]:
        """The rules that go by the text, and for which this one is right."""
        question = Question(text, {}, "", "", datetime.now(UTC))
        nearest = cache(partial(self._examples.nearest, text))
        going = [rule for rule in self.rules if rule.when.any_of or rule.when.matches or rule.when.like]
        return [rule for rule in going if all(one.holds for one in self._of_text(rule, question, nearest))]

    def _conditions(self, rule: Rule, question: Question, nearest: FindsNearest) -> Iterator[Condition]:
        """One after the other, what costs least first. `nearest` has the examples that the text is like."""
        yield from _around(rule, question)
        yield from self._of_text(rule, question, nearest)

    def _of_text(self, rule: Rule, question: Question, nearest: FindsNearest) -> Iterator[Condition]:
        when = rule.when
        if when.any_of:
            word = self.phrases[rule.name].first_in(question.folded)
            yield Condition("any_of", word is not None, word)
        if when.matches is not None:
            holds = self._regexes[rule.name].search(question.whole) is not None
            yield Condition("matches", holds, when.matches)
        if when.like:
            near = nearest().get(rule.name, NOTHING)
            yield Condition("like", near.likeness >= when.threshold, near)


def _around(rule: Rule, question: Question) -> Iterator[Condition]:
    """What is not about the text."""
    when, data = rule.when, question.data
    if when.tenants:
        yield Condition("tenants", question.tenant in when.tenants, question.tenant)
    if when.patterns:
        yield Condition("patterns", question.pattern in when.patterns, question.pattern)
    if when.time is not None:
        yield Condition("time", when.time.include(question.now), question.now)
    for name, value in when.data.items():
        yield Condition(f"data.{name}", is_so(value, data, name), data.get(name))
    for name in placeholders(rule):
        yield Condition(f"answer {{{name}}}", name in data, data.get(name))


@lru_cache(maxsize=10_000)
def _named(template: str) -> frozenset[str]:
    return frozenset(PLACEHOLDER.findall(template)) - {"input"}


def placeholders(rule: Rule) -> frozenset[str]:
    """The fields of the data that the rule's answer is made with."""
    return _named(rule.answer or "")


def answer(rule: Rule, question: Question) -> str:
    """The text of a rule that answers, and holds."""
    assert rule.answer is not None
    values = {name: _text(question.data[name]) for name in placeholders(rule)}
    return filled(rule.answer, {**values, "input": question.text})


def is_so(value: Value, data: Mapping[str, JsonValue], name: str) -> bool:
    """Whether the field of this name is what it must be."""
    if value.present is not None:
        return (name in data) is value.present
    if name not in data:
        return False
    field = data[name]
    if value.greater is not None:
        return isinstance(field, int | float) and not isinstance(field, bool) and field > value.greater
    return any(_same(field, one) for one in (value.in_ or (value.equals,)))


def _same(one: JsonValue, other: object) -> bool:
    # In Python True is 1, in JSON it is not.
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
