"""`continuo recommend`: which pattern fits, and which deployment."""

import sys
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.prompt import Confirm, FloatPrompt, IntPrompt, Prompt

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.authoring.recommend import Advice, Needs
from continuo.authoring.recommend import recommend as recommended
from continuo.errors import InputError
from continuo.starters.console.terminal import out

Flag = Annotated[bool, Parameter(negative=())]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Flags:
    """What is known of the project; with none of these the questions are asked."""

    accuracy: Flag = False
    "Answers must be right more often than one model's are."
    variable_complexity: Flag = False
    "Some questions are easy, others hard."
    unreliable_primary: Flag = False
    "The best model fails or is slow at times."
    repetition: float | None = None
    "Share of the questions that were asked before, such as 0.4."
    transaction: Flag = False
    "Several services are changed together."
    contention: Flag = False
    "Kinds of work compete for the same workers."
    large_tasks: Flag = False
    "Tasks are large, and have parts that smaller models can do."
    team: int | None = None
    "People who build and run it."
    complexity: Literal["low", "high"] | None = None
    "Of the whole system."
    requests_per_second: float | None = None
    "At the busiest."
    real_time: Flag = False
    "Events in real time, handled asynchronously."
    variable_load: Flag = False
    "The load comes and goes."


def recommend(*, flags: Flags | None = None, json: Flag = False) -> int:
    """Recommend patterns and a deployment, from flags or by asking.

    Parameters
    ----------
    json
        Print the recommendation as JSON.
    """
    needs = _needs(flags or Flags())
    library = Library()
    recommendation = recommended(needs, {name: library.named(name).pattern for name in library.names()})
    if json:
        out.out(recommendation.model_dump_json(indent=2, exclude_none=True))
        return 0
    for advice in recommendation.patterns:
        out.print(_line(advice))
    out.print(f"deployment: {_line(recommendation.deployment)}")
    return 0


def _needs(flags: Flags) -> Needs:
    if flags != Flags():
        return validated(Needs, **asdict(flags))
    if not sys.stdin.isatty():
        raise InputError("nothing to go by; give what is known, as in: continuo recommend --accuracy --repetition 0.4")
    return _interview()


def _interview() -> Needs:
    """The needs as a person answers; a number out of its range is refused as a flag's is."""
    return validated(
        Needs,
        accuracy=Confirm.ask("Must answers be right more often than one model's are?", default=False),
        variable_complexity=Confirm.ask("Are some questions easy and others hard?", default=False),
        unreliable_primary=Confirm.ask("Does the best model fail at times?", default=False),
        repetition=FloatPrompt.ask("What share of the questions was asked before (0 to 1)?", default=0.0),
        transaction=Confirm.ask("Are several services changed together?", default=False),
        contention=Confirm.ask("Do kinds of work compete for the same workers?", default=False),
        large_tasks=Confirm.ask("Are tasks large, with parts that smaller models can do?", default=False),
        team=IntPrompt.ask("How many people build and run it?", default=1),
        complexity=Prompt.ask("How complex is the whole system?", choices=["low", "high"], default="low"),
        requests_per_second=FloatPrompt.ask("How many requests a second at the busiest?", default=1.0),
        real_time=Confirm.ask("Are there events in real time, handled asynchronously?", default=False),
        variable_load=Confirm.ask("Does the load come and go?", default=False),
    )


def _line(advice: Advice) -> str:
    example = f" (see: continuo explain {advice.example})" if advice.example else ""
    return f"{advice.use}: {advice.why}{example}"
