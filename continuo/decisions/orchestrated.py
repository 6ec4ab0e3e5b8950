"""What an orchestration has cost, and saved."""

import re
from collections.abc import Iterable, Set

from continuo.config.catalog import Price
from continuo.jobs import CallRecord, Share, total_cost, under
from continuo.messages import Usage
from continuo.patterns import Orchestrate, Step

_PART = re.compile(r"(subtask\d+\.(?P<executor>executor\d+)|(subtask\d+\.)?validate\d+|repair)(?=\.|$)")

_PLANNED_BY = ("plan", "repair", "merge", "validate")


def shares(path: str, calls: Iterable[CallRecord]) -> tuple[Share, Share]:
    """What planner, merge and validator of the step at `path` took, and what its executors did."""
    ours: list[CallRecord] = []
    others: list[CallRecord] = []
    for call in calls:
        below = call.path[len(path) :].lstrip(".").split(".")
        name = below[1] if below[0].startswith("subtask") and len(below) > 1 else below[0]
        (ours if name.startswith(_PLANNED_BY) else others).append(call)
    return _share(ours), _share(others)


def saved(calls: tuple[CallRecord, ...], wasted: Set[str], price: Price | None) -> float | None:
    """What `calls` would have cost at `price` but for those of the steps at the paths `wasted`, less what all did."""
    thrown_away = {call.path for path in wasted for call in under(path, calls)}
    used = sum((call.usage for call in calls if call.path not in thrown_away), Usage())
    cost = total_cost(calls)
    return None if price is None or cost is None else round(price.cost(used) - cost, 9)


def _share(calls: list[CallRecord]) -> Share:
    return Share(usage=sum((call.usage for call in calls), Usage()), cost_usd=total_cost(tuple(calls)))


def begun(step: Orchestrate, paths: Iterable[str]) -> dict[str, Step]:
    """The steps that a run has begun beside those nested in `step`, by the names that they have there: those of
    sub-tasks, the checks of answers, and a plan's repair. `paths` are of the steps below it."""
    nested = step.nested()
    parts: dict[str, Step] = {}
    for path in paths:
        match = _PART.match(path)
        inner = match and nested.get(match["executor"] or ("plan" if path.startswith("repair") else "validate"))
        if match and inner:
            parts[match[0]] = inner
    return {name: parts[name] for name in sorted(parts, key=lambda name: list(map(int, re.findall(r"\d+", name))))}
