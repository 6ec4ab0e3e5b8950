"""Which packages add to ours: a distribution's entry point in the group `continuo` names one that is laid out as ours.

What stands in a room of theirs, such as `patterns`, `workflows`, `providers` or `stores`, is found there; no list names
it.
"""

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
    return tuple(name for package in packages() for name in inside(f"{package}.{room}"))


def inside(package: str) -> list[str]:
    """The whole names of the modules and packages directly in `package`; none where there is no such."""
    try:
        spec = find_spec(package)
    except ModuleNotFoundError as error:
        raise InputError(f"an entry point of the group {GROUP!r} names no package: {error}; correct it") from None
    places = spec.submodule_search_locations if spec else None
    return sorted(f"{package}.{module.name}" for module in iter_modules(places or []))


def loaded(room: str, name: str) -> ModuleType | None:
    """The module `name` of the first package whose `room` has one; only that one is imported."""
    module = next((one for one in modules(room) if one.rpartition(".")[2] == name), None)
    return None if module is None else import_module(module)


def defined(module: ModuleType, base: type[T]) -> list[type[T]]:
    """The subclasses of `base` that the module itself defines, in its order."""
    kinds = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, base)]
    return [kind for kind in kinds if kind.__module__ == module.__name__]
