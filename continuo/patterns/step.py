"""Any step: the union of all patterns, told apart by `kind`. Each is here by its file being beside this one."""

from functools import reduce
from importlib import import_module
from operator import or_
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import Field

from continuo.extensions import defined, modules
from continuo.patterns.base import Spec


def _complete(module: ModuleType) -> ModuleType:
    if module.__spec__ is not None and getattr(module.__spec__, "_initializing", False):
        package = module.__name__.partition(".")[0]
        raise ImportError(
            f"{module.__name__} imports this before its patterns are there; begin"
            f" {package}/__init__.py with `import continuo.patterns`"
        )
    return module


_MODULES = [_complete(import_module(name)) for name in modules("patterns") if name != __name__]

KINDS: tuple[type[Spec], ...] = tuple(
    kind for module in _MODULES for kind in defined(module, Spec) if "kind" in kind.__annotations__ and kind is not Spec
)
"""Every pattern, by its file's name."""

LEAVES = frozenset(kind.model_fields["kind"].default for kind in KINDS if kind.nested is Spec.nested)
"""The kinds below which no step can stand."""

if TYPE_CHECKING:
    Step: TypeAlias = Spec
else:
    Step = Annotated[reduce(or_, KINDS), Field(discriminator="kind")]

for _module in _MODULES:
    # The specs there that hold a step name it, and are built when they are first used.
    vars(_module).setdefault("Step", Step)
