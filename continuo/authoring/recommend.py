"""Which pattern fits which need, and which deployment: two tables."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from pydantic import Field

from continuo.data import Data, Int, Number
from continuo.patterns import Cached, Ensemble, Fallback, FanOut, Orchestrate, Pipeline, Route, Saga, Spec, Step
from continuo.patterns.walk import specs

REPETITION = 0.3
SMALL_TEAM = 5
LAYERED_BELOW = 1_000
SPLIT_ABOVE = 10_000


class Needs(Data):
    """What is known of a project. None is not known.

    `repetition` is the share of questions asked before, in 0..1; `team` is in people.
    """

    accuracy: bool = False
    variable_complexity: bool = False
    unreliable_primary: bool = False
    repetition: Number | None = Field(default=None, ge=0, le=1)
    transaction: bool = False
    contention: bool = False
    large_tasks: bool = False
    team: Int | None = Field(default=None, ge=1, le=1_000_000)
    complexity: Literal["low", "high"] | None = None
    requests_per_second: Number | None = Field(default=None, ge=0, le=1e9)
    real_time: bool = False
    variable_load: bool = False


class Advice(Data):
    """What to use and why. `example` is a named pattern that shows it."""

    use: str
    why: str
    example: str | None = None


class Recommendation(Data):
    """Every pattern that applies, the most telling first, and the one deployment."""

    patterns: tuple[Advice, ...]
    deployment: Advice


class _Row(NamedTuple):
    applies: Callable[[Needs], bool]
    use: str
    why: str
    kind: type[Spec] | None = None


_PATTERNS = (
    _Row(lambda needs: needs.accuracy, "ensemble", "several models check each other for accuracy", Ensemble),
    _Row(
        lambda needs: needs.variable_complexity,
        "route",
        "easy questions need no expensive model; which are easy its score only guesses, and `continuo tune` learns",
        Route,
    ),
    _Row(
        lambda needs: needs.unreliable_primary,
        "fallback with breaker",
        "another model steps in, at once while the breaker of what keeps failing is open",
        Fallback,
    ),
    _Row(
        lambda needs: (needs.repetition or 0) > REPETITION,
        "cached",
        f"over {REPETITION:.0%} of the questions have been answered before",
        Cached,
    ),
    _Row(lambda needs: needs.transaction, "saga", "what several services have done must be undone together", Saga),
    _Row(
        lambda needs: needs.large_tasks,
        "orchestrate",
        "a paid model plans a large task, and free ones do its parts",
        Orchestrate,
    ),
    _Row(lambda needs: needs.contention, "bulkhead", "a flood of one kind of work must not take the slots of another"),
)
_OTHERWISE = (
    _Row(lambda needs: True, "pipeline", "steps that build on each other, one after the other", Pipeline),
    _Row(lambda needs: True, "fan_out", "parts that do not need each other, at once", FanOut),
)
_DEPLOYMENTS = (
    _Row(
        lambda needs: needs.team is not None and needs.team < SMALL_TEAM and needs.complexity == "low",
        "one process",
        f"a team of fewer than {SMALL_TEAM} and a simple system: the least to run",
    ),
    _Row(
        lambda needs: needs.requests_per_second is not None and needs.requests_per_second < LAYERED_BELOW,
        "layered with cache",
        f"fewer than {LAYERED_BELOW:,} requests a second",
    ),
    _Row(
        lambda needs: needs.requests_per_second is not None and needs.requests_per_second > SPLIT_ABOVE,
        "split services",
        f"more than {SPLIT_ABOVE:,} requests a second: each part scales by itself",
    ),
    _Row(lambda needs: needs.real_time, "event driven", "real time, and answers that nobody waits for"),
    _Row(lambda needs: needs.variable_load, "serverless", "a load that varies: nothing runs when nothing is asked"),
    _Row(
        lambda needs: True,
        "layered with cache",
        "nothing given asks for more; workers are added as the load grows",
    ),
)


def recommend(needs: Needs, named: Mapping[str, Step]) -> Recommendation:
    """What fits `needs`; `named` are the patterns to take examples from."""
    rows = _applying(needs) or _OTHERWISE
    deployment = next(row for row in _DEPLOYMENTS if row.applies(needs))
    return Recommendation(
        patterns=tuple(Advice(use=row.use, why=row.why, example=_example(row.kind, named)) for row in rows),
        deployment=Advice(use=deployment.use, why=deployment.why),
    )


def kinds(needs: Needs) -> dict[type[Spec], str]:
    """The kinds of the patterns that fit `needs`, the most telling first, and why; none where nothing asks for one."""
    return {row.kind: f"{row.use}: {row.why}" for row in _applying(needs) if row.kind is not None}


def _applying(needs: Needs) -> list[_Row]:
    return [row for row in _PATTERNS if row.applies(needs)]


def _example(kind: type[Spec] | None, named: Mapping[str, Step]) -> str | None:
    """The pattern that shows `kind` best: at the top if there is one, else with the least around it."""
    if kind is None:
        return None
    kinds = {
        name: list(specs(step)) for name, step in named.items() if any(isinstance(one, kind) for one in specs(step))
    }
    return min(kinds, key=lambda name: (not isinstance(named[name], kind), len(kinds[name]), name), default=None)
