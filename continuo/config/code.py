"""Code of one's own: which of its modules patterns may call, and how it is imported."""

import inspect
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Annotated, Any

from pydantic import AfterValidator

from continuo.config.project import project_file
from continuo.data import Data
from continuo.errors import InputError, unknown

STEPS = "continuo.steps"
"""The group of the entry points whose modules patterns may call."""


def _module(name: str) -> str:
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f"{name!r} is no module; write one as it is imported, such as 'shop.refunds'")
    if name.split(".")[0] in sys.stdlib_module_names:
        raise ValueError(f"{name!r} belongs to Python itself; name a module of your own")
    return name


class Code(Data):
    """`modules` are those whose functions patterns may call, each with the modules inside it."""

    modules: tuple[Annotated[str, AfterValidator(_module)], ...] = ()


def separated(value: object) -> object:
    """Read names with commas between them, as in the environment; anything else is left to pydantic."""
    return {"modules": [name.strip() for name in value.split(",") if name.strip()]} if isinstance(value, str) else value


def callable_modules(own: Code) -> tuple[str, ...]:
    """The modules of `own`, and those that installed packages name by an entry point of the group `continuo.steps`."""
    return (*own.modules, *(entry.module for entry in entry_points(group=STEPS)))


def imported(name: str) -> ModuleType:
    """The module `name`, of the project's folder or installed; of two that are called so it is the installed one.

    Raises `InputError`, in one line, for a module that is not there or that raises.
    """
    file = project_file()
    if file is not None and (folder := str(file.parent)) not in sys.path:
        # Last: nothing in a project stands in for what is installed.
        sys.path.append(folder)
    try:
        return import_module(name)
    except (Exception, SystemExit) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"module {name!r} cannot be imported: {reason}; correct it, or its name") from None


def own_function(name: str, modules: Sequence[str]) -> Callable[..., Any]:
    """The function `package.module:name`, imported, of one of `modules` or of a module inside one.

    Raises `InputError` for one of any other, or that is not there.
    """

    def has(module: str) -> bool:
        return any(module == one or module.startswith(f"{one}.") for one in modules)

    module, _, attribute = name.partition(":")
    if not has(module):
        named = f"named are {', '.join(modules)}" if modules else "none is named"
        raise InputError(
            f"function {name!r} is of no module that patterns may call ({named}); name its module in [code] modules"
            f" of continuo.toml, or by an entry point of the group {STEPS!r}"
        )
    members = vars(imported(module))
    # What a module has imported from elsewhere is none of its own, such as `system` of os.
    own = {key for key, value in members.items() if inspect.isfunction(value) and has(value.__module__)}
    if attribute not in own:
        raise unknown(f"function of {module!r}:", attribute, own)
    function: Callable[..., Any] = members[attribute]
    return function
