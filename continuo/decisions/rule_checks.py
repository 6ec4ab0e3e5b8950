"""Rules that stand in each other's way: seen in the rules themselves, whatever is asked."""

from continuo.config.rules import Rule, Value, When
from continuo.decisions.rules import RuleBook, is_so, placeholders
from continuo.errors import InputError


def check_reachable(book: RuleBook) -> None:
    """Raise `InputError` for a rule that never decides, since an earlier one holds whenever it does.

    Where that takes a proof (one regular expression within another) nothing is said.
    """
    for number, rule in enumerate(book.rules):
        for earlier in book.rules[:number]:
            if _covers(book, earlier, rule):
                what = f"rule {rule.name!r} never decides: {earlier.name!r}, which stands before it, holds whenever"
                raise InputError(f"{what} it does; put it before that one, or take it out")


def overlaps(book: RuleBook) -> list[str]:
    """A line for each two rules of which the earlier one takes a word or an example of the later one from it, and does
    something else."""
    return [
        f"{rule.name!r} does not decide on {text!r} where {earlier!r} holds too, which stands before it"
        for rule in book.rules
        for earlier, text in _takers(book, rule).items()
    ]


def _takers(book: RuleBook, rule: Rule) -> dict[str, str]:
    """The names of the earlier rules that do, with the first text of the rule's own that each takes."""
    takers: dict[str, str] = {}
    for text in (*rule.when.any_of, *rule.when.like):
        taking = book.taking(text)
        if rule in taking:
            for earlier in taking[: taking.index(rule)]:
                if earlier.action != rule.action and _meet(earlier.when, rule.when):
                    takers.setdefault(earlier.name, text)
    return takers


def _covers(book: RuleBook, earlier: Rule, later: Rule) -> bool:
    """Whether the earlier one holds whenever the later one does, as far as that can be seen."""
    one, other = earlier.when, later.when
    return (
        _within(other.tenants, one.tenants)
        and _within(other.patterns, one.patterns)
        and one.matches in (None, other.matches)
        and (not one.any_of or (bool(other.any_of) and book.phrases[earlier.name].cover(book.phrases[later.name])))
        and (not one.like or (bool(other.like) and {*other.like} <= {*one.like} and other.threshold >= one.threshold))
        and (one.time is None or one.time == other.time)
        and _covers_data(earlier, later)
    )


def _covers_data(earlier: Rule, later: Rule) -> bool:
    one, other = earlier.when.data, later.when
    there = {name for name, value in other.data.items() if value.present is not False} | placeholders(later)
    return placeholders(earlier) <= there and all(
        _implied(value, name, other) or (value.present is True and name in there) for name, value in one.items()
    )


def _within(inner: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    return not outer or (bool(inner) and {*inner} <= {*outer})


def _implied(value: Value, name: str, when: When) -> bool:
    """Whether a field that is as `when` says is as `value` says."""
    if (given := when.data.get(name)) is None:
        return False
    if given.present is not None:
        return given.present == value.present
    if given.greater is not None:
        return value.greater is not None and given.greater >= value.greater
    exact = given.in_ or (() if given.equals is None else (given.equals,))
    return all(is_so(value, {name: one}, name) for one in exact)


def _meet(one: When, other: When) -> bool:
    """Whether one request may be for both, as far as that can be seen."""
    if any(a and b and not {*a} & {*b} for a, b in ((one.tenants, other.tenants), (one.patterns, other.patterns))):
        return False
    return not any(_apart(value, other.data[name], name) for name, value in one.data.items() if name in other.data)


def _apart(one: Value, other: Value, name: str) -> bool:
    """Whether no field is as both say."""
    for value, against in ((one, other), (other, one)):
        exact = value.in_ or (() if value.equals is None else (value.equals,))
        if exact and not any(is_so(against, {name: field}, name) for field in exact):
            return True
    return {one.present, other.present} == {True, False}
