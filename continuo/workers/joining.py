"""Workflows and activities of one's own that join a pool."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from continuo.config.code import imported
from continuo.errors import InputError

Activity = Callable[..., Any]
T = TypeVar("T")

_DEFINITIONS = {"WORKFLOWS": "__temporal_workflow_definition", "ACTIVITIES": "__temporal_activity_definition"}
"""How the SDK marks what may stand in each list."""


class Joining(NamedTuple):
    """What a pool takes on beside ours."""

    workflows: tuple[type, ...] = ()
    activities: tuple[Activity, ...] = ()


NOTHING = Joining()


def joining(modules: Iterable[str]) -> Joining:
    """What the modules have in `WORKFLOWS`, the classes, and `ACTIVITIES`, the functions; either may be missing.

    Raises `InputError` for a module that is not there or has neither, and for what is no workflow or activity.
    """
    workflows: list[type] = []
    activities: list[Activity] = []
    for name in modules:
        members = vars(imported(name))
        if not members.keys() & _DEFINITIONS.keys():
            raise InputError(f"module {name!r} has neither WORKFLOWS nor ACTIVITIES; list in them what is to join")
        workflows += _listed(name, members, "WORKFLOWS", "@workflow.defn")
        activities += _listed(name, members, "ACTIVITIES", "@activity.defn")
    return Joining(tuple(workflows), tuple(activities))


def joined(what: str, ours: Sequence[T], own: Iterable[T]) -> list[T]:
    """All of them. Raises `InputError` for one whose name is taken: `what` is "WORKFLOWS" or "ACTIVITIES"."""
    names, everything = {_name(what, one) for one in ours}, [*ours]
    for one in own:
        if (name := _name(what, one)) in names:
            raise InputError(f"{what}: {name!r} is there already; give yours another name")
        names.add(name)
        everything.append(one)
    return everything


def _listed(module: str, members: dict[str, Any], what: str, decorator: str) -> list[Any]:
    listed = members.get(what, ())
    if not isinstance(listed, list | tuple):
        raise InputError(f"{module}.{what} is no list; write {what} = [...]")
    for one in listed:
        if not hasattr(one, _DEFINITIONS[what]):
            raise InputError(f"{module}.{what}: {one!r} is not marked; put {decorator} above it")
    return [*listed]


def _name(what: str, one: object) -> str | None:
    name: str | None = getattr(one, _DEFINITIONS[what]).name
    return name
