"""Which packages add to ours: a distribution's entry point in the group `continuo` names one that is laid out as ours.

What stands in a room of theirs, such as `patterns`, `workflows`, `providers` or `stores`, is found there; no list names
it.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

from continuo.errors import InputError

T = TypeVar("T")

GROUP = "continuo"


@cache
def packages() -> tuple[str, ...]:
    """Ours first, then the others by name."""
    return (GROUP, *sorted({entry.value for entry in entry_points(group=GROUP)}))


@cache
def modules(room: str) -> tuple[str, ...]:
    """The whole names of the modules and packages in every package's `room`, by name, ours first. None is imported.

    Raises `InputError` for an entry point that names no package.
    """
    return tuple(name for package in packages() for name in sorted(_listed(package, room)))


def loaded(room: str, name: str) -> ModuleType | None:
    """The module `name` of the first package whose `room` has one; only that one is imported."""
    found = next((one for one in modules(room) if one.rpartition(".")[2] == name), None)
    return None if found is None else import_module(found)


def defined(module: ModuleType, base: type[T]) -> list[type[T]]:
    """The subclasses of `base` that the module itself defines, in its order."""
    kinds = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, base)]
    return [kind for kind in kinds if kind.__module__ == module.__name__]


def _listed(package: str, room: str) -> Iterator[str]:
    try:
        found = find_spec(f"{package}.{room}")
    except ModuleNotFoundError as error:
        raise InputError(f"the entry point {package!r} of the group {GROUP!r} is no package: {error}") from None
    places = found.submodule_search_locations if found else None
    return (f"{package}.{room}.{module.name}" for module in iter_modules(places or []))
