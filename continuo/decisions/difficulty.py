"""How hard a task looks: by rules alone, at no cost."""

import re

from continuo.decisions.classify import signals
from continuo.jobs import Level

_WORDS = 50
_LONG = 300
_LIST_ITEM = re.compile(r"^[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t]", re.MULTILINE)

OUTPUT: dict[Level, int] = {"simple": 200, "moderate": 600, "complex": 1_800, "expert": 4_000}
"""Tokens that a task of the level is taken to make executors write, to estimate its cost before it runs."""


def difficulty(prompt: str, tasks: int) -> tuple[Level, tuple[str, ...]]:
    """The level of a task and why. It is *expert* from .8 on, *complex* from .6, *moderate* from .3, else *simple*.

    Its score has the `signals` of a route by complexity, and .2 for over 300 words and .3 for three items of a list or
    more. Several `tasks` at once are never simple.
    """
    counted = signals(prompt, _WORDS)
    if len(prompt.split()) > _LONG:
        counted[f"over {_LONG} words"] = 2
    if (items := len(_LIST_ITEM.findall(prompt))) >= 3:
        counted[f"{items} items of a list"] = 3
    if tasks > 1:
        counted[f"{tasks} tasks"] = 3
    score = sum(counted.values())
    level: Level = "expert" if score >= 8 else "complex" if score >= 6 else "moderate" if score >= 3 else "simple"
    return level, tuple(counted) or ("short and plain",)
