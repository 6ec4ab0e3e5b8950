"""The door: the one way from what somebody asks to a run, and what becomes of that."""

from continuo.door.plain import PlainRun
from continuo.door.request import Request
from continuo.door.runs import Run
from continuo.door.submit import Door

__all__ = ["Door", "PlainRun", "Request", "Run"]
