"""What a pool registers with Temporal: found by being there, in our packages and in those that add to ours."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

# All at once, since each may import any other.
import continuo.workflows  # noqa: F401
from continuo.extensions import defined, modules


def _workflows() -> Iterator[type]:
    for name in modules("workflows"):
        yield from (kind for kind in defined(import_module(name), object) if hasattr(kind, _WORKFLOW))


def activities(*owners: object) -> list[Callable[..., Any]]:
    """Every activity among the methods of `owners`."""
    methods = ((owner, name, value) for owner in owners for name, value in vars(type(owner)).items())
    return [getattr(owner, name) for owner, name, value in methods if hasattr(value, _ACTIVITY)]


_WORKFLOW, _ACTIVITY = "__temporal_workflow_definition", "__temporal_activity_definition"
"""How the SDK marks what is registered."""

WORKFLOWS: tuple[type, ...] = tuple(_workflows())
