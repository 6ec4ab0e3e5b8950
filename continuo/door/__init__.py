"""The door: the one way from what somebody asks to a run, and what becomes of that."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from continuo.door.answered import Answered
    from continuo.door.plain import PlainRun
    from continuo.door.request import Request
    from continuo.door.runs import Run
    from continuo.door.submit import Door

__all__ = ["Answered", "Door", "PlainRun", "Request", "Run"]

_MODULES = {"Answered": "answered", "Door": "submit", "PlainRun": "plain", "Request": "request", "Run": "runs"}


def __getattr__(name: str) -> object:
    """What speaks with Temporal takes as long to load as all the rest: a request is made and checked without it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
