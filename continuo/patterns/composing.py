"""How patterns compose in Python: `a | b` asks both at once, `a >> b` feeds the one into the other."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeGuard

from continuo.patterns.base import Spec, numbered
from continuo.patterns.choices import Combine
from continuo.patterns.ensemble import Ensemble
from continuo.patterns.fan_out import FanOut
from continuo.patterns.pipeline import Pipeline, PipelineStep

if TYPE_CHECKING:
    from continuo.patterns.step import Step


def both(one: Spec, other: Any) -> FanOut:
    # A fan-out with names or settings of its own is a branch itself, since neither may be lost.
    return at_once((*(one.branches.values() if _is_plain(one) else (one,)), other))


def then(one: Spec, other: "Step | Combine") -> Pipeline | Ensemble:
    """Raises `TypeError` for a way to combine what was not asked at once."""
    if isinstance(other, Spec):
        before = [step.step for step in one.steps] if isinstance(one, Pipeline) else []
        return in_order([*before, other] if before and one == in_order(before) else [one, other])
    if _is_plain(one):
        return Ensemble(members=tuple(one.branches.values()), combine=other)
    raise TypeError(f"{type(other).__name__} combines what `|` joins; write (a | b) >> {type(other).__name__}()")


def _is_plain(one: Spec) -> TypeGuard[FanOut]:
    return isinstance(one, FanOut) and one == at_once(one.branches.values())


def at_once(steps: Iterable[Any]) -> FanOut:
    return FanOut(branches=numbered("branch", steps))


def in_order(steps: Iterable[Any]) -> Pipeline:
    return Pipeline(steps=tuple(PipelineStep(name=name, step=step) for name, step in numbered("step", steps).items()))
