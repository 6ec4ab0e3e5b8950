"""Visiting every step of a pattern, however deep."""

from collections.abc import Callable, Iterator, Set
from functools import cache
from typing import Any, TypeVar, get_args

from continuo.data import Data
from continuo.patterns.base import NAMES_MODEL, Spec
from continuo.patterns.call import Call

T = TypeVar("T")


def specs(value: object) -> Iterator[Spec]:
    """Every spec in `value`, outermost first."""
    return (part for part in parts(value) if isinstance(part, Spec))


def parts(value: object) -> Iterator[Data]:
    """Every spec in `value`, and part of one, outermost first."""
    if isinstance(value, Data):
        yield value
        for name in type(value).model_fields:
            yield from parts(getattr(value, name))
    elif isinstance(value, tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from parts(item)


def given(step: Spec, fields: Set[str] | None = None) -> Iterator[tuple[Spec, Set[str] | None]]:
    """Every step of the tree, with the fields of its data where a model writes them; None where it has the job's."""
    yield step, fields
    for name, inner in step.nested().items():
        written = step.written(name)
        yield from given(inner, fields if written is None else written)


def paths_asked(step: Spec, path: str = "") -> Iterator[str]:
    """The paths of the steps that are asked what `step` is asked, and not a prompt that is made of texts."""
    yield path
    for name, inner in step.nested().items():
        if any(inner is one for one in step.given()):
            yield from paths_asked(inner, f"{path}.{name}".lstrip("."))


def replaced(value: T, change: Callable[[Data], Data]) -> T:
    """`value` with `change` applied to every spec, and part of one, in it, innermost first."""
    if isinstance(value, tuple):
        return tuple(replaced(item, change) for item in value)  # type: ignore[return-value]
    if isinstance(value, dict):
        return {name: replaced(item, change) for name, item in value.items()}  # type: ignore[return-value]
    if not isinstance(value, Data):
        return value
    fields = {name: replaced(getattr(value, name), change) for name in type(value).model_fields}
    return change(value.model_copy(update=fields))  # type: ignore[return-value]


def models_in(part: Data) -> dict[str, str]:
    """The models that a spec, or a part of one, itself names, by the field."""
    return {field: name for field in _model_fields(type(part)) if (name := getattr(part, field)) is not None}


@cache
def _model_fields(kind: type[Data]) -> tuple[str, ...]:
    fields = kind.model_fields.items()
    return tuple(name for name, info in fields if NAMES_MODEL in info.metadata or _names_model(info.annotation))


def _names_model(annotation: Any) -> bool:
    """Whether it is `ModelName`, or that or None."""
    return NAMES_MODEL in get_args(annotation) or any(map(_names_model, get_args(annotation)))


def streaming(step: Spec, path: str = "") -> Iterator[str]:
    """The paths of the steps whose pieces may be shown, as they come, as pieces of what `step` answers.

    Which of them answers is known in the run alone: a tier that fails has perhaps begun to answer.
    """
    if step.streams:
        yield path
    nested = step.nested()
    for name in step.answering():
        yield from streaming(nested[name], f"{path}.{name}".lstrip("."))


def remembers(step: Spec) -> bool:
    """Whether a run of it needs what its placeholders stand for: a step sees the values, or in its course more is said
    to an agent, or written by a reviewer."""
    return any(spec.kind in ("agent", "review") or getattr(spec, "reveals", False) for spec in specs(step))


def calls_locally(step: Spec) -> bool:
    """Whether any call in `step` runs on the worker that runs its workflow."""
    return any(isinstance(spec, Call) and spec.local for spec in specs(step))
