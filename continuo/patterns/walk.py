"""Visiting every step of a pattern, however deep."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from continuo.data import Data
from continuo.patterns import Call, Spec, Step

T = TypeVar("T")


def specs(value: object) -> Iterator[Spec]:
    """Every spec in `value`, outermost first."""
    if isinstance(value, Spec):
        yield value
    if isinstance(value, Data):
        for name in type(value).model_fields:
            yield from specs(getattr(value, name))
    elif isinstance(value, tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from specs(item)


def replaced(value: T, change: Callable[[Spec], Spec]) -> T:
    """`value` with `change` applied to every spec in it, innermost first."""
    if isinstance(value, tuple):
        return tuple(replaced(item, change) for item in value)  # type: ignore[return-value]
    if isinstance(value, dict):
        return {name: replaced(item, change) for name, item in value.items()}  # type: ignore[return-value]
    if not isinstance(value, Data):
        return value
    fields = {name: replaced(getattr(value, name), change) for name in type(value).model_fields}
    copy = value.model_copy(update=fields)
    return change(copy) if isinstance(copy, Spec) else copy  # type: ignore[return-value]


def calls_locally(step: Step) -> bool:
    """Whether any call in `step` runs on the worker that runs its workflow."""
    return any(isinstance(spec, Call) and spec.local for spec in specs(step))
