"""Models that retire, and the patterns that ask them."""

from collections import defaultdict
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import NamedTuple

from continuo.authoring.library import Library
from continuo.errors import InputError
from continuo.patterns import Call, Step
from continuo.patterns.walk import models_in, parts

SOON = 90
"""So many days before a model retires it is told."""


class Retiring(NamedTuple):
    """A model that retires on that day, or has, what replaces it then, and the `patterns` that ask for it."""

    model: str
    day: date
    replaced_by: str | None
    patterns: tuple[str, ...]

    @property
    def days(self) -> int:
        """Until that day; below 0 when it is past."""
        return (self.day - datetime.now(UTC).date()).days

    def __str__(self) -> str:
        when = f"retires on {self.day}" if self.days > 0 else f"has retired on {self.day}"
        then = f"{self.replaced_by} answers from then on" if self.replaced_by else "nothing replaces it"
        return f"{self.model} {when} and {then}; it is asked by {', '.join(self.patterns) or 'no pattern'}"


def retiring(library: Library) -> list[Retiring]:
    """Those that the named patterns ask, the next one first, as far as these can run here. Raises `InputError`."""
    if not (leaving := [model for model in library.catalog.models.values() if model.retires]):
        return []
    asking = defaultdict[str, list[str]](list)
    for name in library.names():
        with suppress(InputError):
            for model in models_of(library.step(name)):
                asking[model].append(name)
    known = [
        Retiring(model.id, model.retires, model.replaced_by, tuple(asking[model.id]))
        for model in leaving
        if model.retires and model.id in asking
    ]
    return sorted(known, key=lambda one: (one.day, one.model))


def soon(library: Library) -> list[Retiring]:
    """Those of them that retire within 90 days, or have retired."""
    return [one for one in retiring(library) if one.days <= SOON]


def models_of(step: Step) -> set[str]:
    """All that a step asks, by the names that stand in it, and those that are replaced there."""
    known = {name for part in parts(step) for name in models_in(part).values()}
    return known | {part.replaces for part in parts(step) if isinstance(part, Call) and part.replaces}
