"""What a catalog must know of a provider's protocol: each is a file in a room `providers`, loaded when it is named."""

from functools import cache
from importlib import import_module
from inspect import isabstract
from types import ModuleType
from typing import TYPE_CHECKING

from continuo.errors import unknown
from continuo.extensions import defined, loaded, modules
from continuo.parameters import Parameter
from continuo.parts import Input

if TYPE_CHECKING:
    from continuo.config.catalog import Model
    from continuo.jobs import ServedBy


class ProviderProtocol:
    """Base of every protocol. Its file's name is what a catalog calls it by.

    `carries` are the kinds of parts that it has a shape for. `lacks` are the parameters of a request that it has no
    field for, hints apart; None where it answers whatever is set. `served_by` is what its answers are marked with.
    """

    carries: frozenset[Input] = frozenset({"text"})
    lacks: frozenset[Parameter] | None = frozenset()
    served_by: "ServedBy" = "model"
    in_process: bool = False
    """Whether it answers in this process, with no address and no key."""
    batched: bool = False
    """Whether it has batches."""
    embeds: int = 0
    """How many texts it can embed with one request."""
    embeds_batched: bool = False
    """Whether it has batches of embeddings too."""
    streams: bool = True
    """Whether an answer can come piece by piece; else it comes whole, as one piece."""
    ready: str | None = None
    """The path below a provider's address that answers 200 while it can be asked; None where there is none."""

    def of(self, model: "Model") -> "ProviderProtocol":
        """The protocol as it is spoken with that model: most ask all alike."""
        return self


@cache
def protocol(name: str) -> ProviderProtocol:
    """Raises `UnknownName` for a name that no file has."""
    module = loaded("providers", name)
    kind = _kind(module) if module else None
    if kind is None:
        every = {one.rpartition(".")[2]: import_module(one) for one in modules("providers")}
        raise unknown("protocol", name, [other for other, module in every.items() if _kind(module)])
    return kind()


def is_protocol(name: str) -> bool:
    """Whether a protocol's file may be called so; none is loaded."""
    return any(one.rpartition(".")[2] == name for one in modules("providers"))


def check_protocol(name: str) -> str:
    protocol(name)
    return name


def _kind(module: ModuleType) -> type[ProviderProtocol] | None:
    return next((kind for kind in defined(module, ProviderProtocol) if not isabstract(kind)), None)
