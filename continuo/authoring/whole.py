"""Patterns that name others, made whole before anything runs."""

from collections.abc import Callable, Iterator, Mapping

from pydantic import ValidationError

from continuo.authoring.prepare import check_extent
from continuo.data import Data
from continuo.errors import InputError, UnknownName
from continuo.patterns import Named, Step
from continuo.patterns.walk import replaced, specs

Read = Callable[[str, str | None], Step]


def parts(step: Step, read: Read) -> dict[str, Step]:
    """The patterns that `step` names, and those that they name, each behind all that it names itself.

    `read` gives a pattern by its name and that of the one which names it, None for `step`. Raises `InputError` for one
    that holds itself.
    """
    known: dict[str, Step] = {}
    under_way: dict[str | None, tuple[Step, Iterator[str]]] = {None: (step, _names(step))}
    while under_way:
        holder, (pattern, names) = next(reversed(under_way.items()))
        name = next(names, None)
        if name is None:
            del under_way[holder]
            if holder is not None:
                known[holder] = pattern
        elif name in under_way:
            circle = [*filter(None, under_way), name]
            holds = " -> ".join(circle[circle.index(name) :])
            raise UnknownName(f"pattern {name!r} would hold itself ({holds}); take one of them out", "pattern", name)
        elif name not in known:
            part = read(name, holder)
            under_way[name] = part, _names(part)
    return known


def filled(step: Step, whole: Mapping[str, Step]) -> Step:
    """`step` with the patterns that it names in their places. Raises `InputError` where it is too large then, or one
    does not fit."""
    if next(_names(step), None) is None:
        return step

    def put(part: Data) -> Data:
        if not isinstance(part, Named):
            return part
        named = whole[part.pattern]
        return named.model_copy(update={"isolate": True}) if part.isolate else named

    step = replaced(step, put)
    check_extent(step)
    try:
        # What holds a step may have rules for it.
        return type(step).model_validate(step.model_dump())
    except ValidationError as error:
        first = error.errors()[0]
        where, why = ".".join(map(str, first["loc"])) or step.kind, first["msg"].removeprefix("Value error, ")
        raise InputError(f"with the patterns that it names: {where}: {why}") from None


def _names(step: Step) -> Iterator[str]:
    check_extent(step)
    return (spec.pattern for spec in specs(step) if isinstance(spec, Named))
