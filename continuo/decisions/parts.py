"""A fan-out of very many branches, cut into parts that run as workflows of their own: no history has room for all."""

from collections.abc import Mapping

from continuo.patterns import FanOut, Spec, Step
from continuo.patterns.choices import Collect

PART = 1000
"""Branches of one workflow. A history may have 51,200 events, of which each makes 3 to 6, and 50 MB, of which each may
take 32 KB for its input and its answer."""


def parts(step: FanOut) -> dict[str, FanOut]:
    """The parts by their names, in the order of the branches; none where the branches fit into one workflow."""
    names = list(step.branches)
    starts = range(0, len(names), PART) if len(names) > PART else ()
    return {
        f"part{number}": step.model_copy(
            update={
                "branches": {name: step.branches[name] for name in names[start : start + PART]},
                "merge": Collect(),
                "min_successes": None,
            }
        )
        for number, start in enumerate(starts, 1)
    }


def below(step: Spec) -> Mapping[str, Step]:
    """The steps that run directly below this one: what is nested in it, or its parts."""
    nested = step.nested()
    if not isinstance(step, FanOut) or not (cut := parts(step)):
        return nested
    return {**cut, **{name: inner for name, inner in nested.items() if name not in step.branches}}
