"""Each pattern beside the twin that does the same by hand."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.bare import Ask
from benchmarks.measure import Run
from benchmarks.stage import PROMPT, Stage
from continuo.authoring.files import load_pattern
from continuo.config.defaults import DEFAULTS
from continuo.patterns import Cached, Call, Cascade, Deadline, Ensemble, Fallback, FanOut, Orchestrate, Route, Step
from continuo.patterns.choices import Length

MODEL = "sim-mid"
ORDER = json.loads((DEFAULTS / "examples" / "order.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Case:
    """Contestants by name; `bare` is what the others are measured against. `heavy` runs are measured fewer times."""

    name: str
    contestants: dict[str, Run]
    heavy: int = 1


def cases(stage: Stage) -> Iterator[Case]:
    bare, continuo = stage.bare, stage.continuo
    down, up = Call(model="sim-free"), Call(model=MODEL)
    one = bare("BareFallback", [MODEL], PROMPT)
    alone = stage.standalone(Ask(MODEL, PROMPT))
    yield Case(
        "one call",
        {"bare": one, "bare, no workflow": alone, "continuo": continuo(up), "local": continuo(local(up))},
    )
    yield Case(
        "fallback, third of three tiers",
        {
            "bare": bare("BareFallback", ["sim-free", "sim-free", MODEL], PROMPT),
            "continuo": continuo(Fallback(steps=(down, down, up))),
            "local": continuo(Fallback(steps=(local(down), local(down), local(up)))),
        },
    )
    saga = load_pattern(DEFAULTS / "patterns" / "order.yaml").pattern
    yield Case("saga of three steps", {"bare": bare("BareSaga", ORDER), "continuo": continuo(saga, **ORDER)})
    yield Case(
        "cascade of three, the last answers",
        {
            "bare": bare("BareCascade", [MODEL] * 3, PROMPT),
            "continuo": continuo(Cascade(steps=(up, up, up), thresholds=(1.0,))),
        },
    )
    yield Case(
        "ensemble of three children",
        {"bare": bare("BareFanOut", MODEL, PROMPT, 3, True), "continuo": continuo(Ensemble(members=(up, up, up)))},
        heavy=2,
    )
    yield Case(
        "fan-out of eight, inline",
        {"bare": bare("BareFanOut", MODEL, PROMPT, 8, False), "continuo": continuo(wide(8, inline=True))},
        heavy=2,
    )
    yield Case(
        "fan-out of eight children",
        {"bare": bare("BareFanOut", MODEL, PROMPT, 8, True), "continuo": continuo(wide(8))},
        heavy=5,
    )
    route = Route(by=Length(), branches={"local": Fallback(steps=(up,))}, default="local")
    nest = Cached(Deadline(route, limit=60))
    # Here one call of Continuo's own is what the nest is measured against.
    yield Case("five-deep nest", {"bare": continuo(up), "nest": continuo(nest)})

    # The plan, and behind it two parts, one after the other, of each of two tasks: three calls deep.
    split = Orchestrate(planner=up, executors=(up,))
    planned = continuo(split, tasks=["first", "second"])
    yield Case("orchestrate", {"bare": continuo(up >> up >> up), "orchestrate": planned}, heavy=2)


def local(step: Call) -> Call:
    return step.model_copy(update={"local": True})


def wide(branches: int, *, inline: bool = False) -> FanOut:
    steps: dict[str, Step] = {f"b{number}": Call(model=MODEL) for number in range(branches)}
    return FanOut(branches=steps, inline=inline)
