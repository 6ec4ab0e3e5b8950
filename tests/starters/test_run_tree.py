"""The tree of a run on screens of every size."""

import io
import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from rich.console import RenderableType

from continuo.patterns import Call, Fallback, FanOut, Orchestrate, Pipeline, PipelineStep, Step, Template
from continuo.progress import Status, StepState
from continuo.starters.console.run_tree import screenful, tree
from continuo.starters.console.terminal import SafeConsole
from tests.support.trees import trees

NOW = datetime.now(UTC)
STATUSES: tuple[Status, ...] = ("running", "done", "failed", "cancelled")


def console(width: int, height: int) -> SafeConsole:
    return SafeConsole(file=io.StringIO(), width=width, height=height)


def drawn(renderable: RenderableType, on: SafeConsole) -> list[str]:
    with on.capture() as found:
        on.print(renderable)
    return found.get().splitlines()


def paths(step: Step, path: str = "") -> list[str]:
    below = {f"{path}.{name}".lstrip("."): inner for name, inner in step.nested().items()}
    return [one for inner_path, inner in below.items() for one in (inner_path, *paths(inner, inner_path))]


def states(step: Step, data: st.DataObject) -> dict[str, StepState]:
    began = data.draw(st.dictionaries(st.sampled_from(paths(step) or ["none"]), st.sampled_from(STATUSES)))
    return {path: StepState(path=path, kind="call", status=status, started=NOW) for path, status in began.items()}


@given(st.data(), trees(["sim-mini"], depth=4), st.integers(40, 200), st.integers(8, 60))
def test_a_tree_is_no_higher_than_the_screen_and_tells_of_every_step(
    data: st.DataObject, step: Step, width: int, height: int
) -> None:
    screen = console(width, height)
    lines = drawn(screenful(step, states(step, data), (), screen), screen)
    assert len(lines) < height
    text = " ".join(" ".join(line.strip("│├└─ ") for line in lines).split())
    hidden = re.search(r"… (\d+) not shown: ([\w ,]+)$", text)
    shown = len(re.findall(r"(?:^| )[·…✓✗⊘] (?!\d)", text))
    assert shown + (int(hidden[1]) if hidden else 0) == len(paths(step))


def test_what_runs_or_failed_is_shown_before_all_else() -> None:
    inner = FanOut(branches={f"leaf{number}": Template(text="x") for number in range(5)})
    step = FanOut(branches={f"b{number}": inner for number in range(9)})
    status: dict[str, Status] = {
        "b1": "done",
        "b7": "running",
        "b7.leaf4": "running",
        "b8": "done",
        "b8.leaf2": "failed",
    }
    begun = {path: StepState(path=path, kind="x", status=one, started=NOW) for path, one in status.items()}
    screen = console(80, 7)
    lines = [line.strip("│├└─ ").split(":")[0] for line in drawn(screenful(step, begun, (), screen), screen)]
    assert lines == ["fan_out", "… b7", "… leaf4", "✓ b8", "✗ leaf2", "… 50 not shown"]


@given(trees(["sim-mini"], depth=6), st.integers(20, 60))
def test_no_step_is_too_deep_to_be_shown(step: Step, width: int) -> None:
    screen = console(width, 25)
    text = " ".join(drawn(tree(step, {}, (), levels=2), screen))
    assert text.count("· ") == len(paths(step))


def test_what_each_sub_task_has_begun_is_shown_with_what_is_below_it() -> None:
    tiers = Fallback(steps=(Call(model="sim-free"), Call(model="sim-mini")))
    step = Orchestrate(planner=Call(model="sim-mid"), executors=(tiers, Call(model="sim-mid")), validator=tiers)
    seen: dict[str, Status] = {
        "in.plan": "done",
        "in.subtask10.executor1": "running",
        "in.subtask10.executor1.tier1": "running",
        "in.subtask2.executor1": "failed",
        "in.subtask2.executor1.tier2": "failed",
        "in.subtask2.validate1": "done",
        "in.subtask2.executor2": "done",
    }
    outer = Pipeline(steps=(PipelineStep(name="in", step=step),))
    screen = console(80, 50)
    states = {path: StepState(path=path, kind="call", status=status, started=NOW) for path, status in seen.items()}
    lines = [line.strip("│├└─ ") for line in drawn(tree(outer, states, (), 10), screen)]
    begun = [line.split(":")[0] for line in lines if "subtask" in line]
    parts = ["subtask2.executor1", "subtask2.validate1", "subtask2.executor2", "subtask10.executor1"]
    assert [line[2:] for line in begun] == parts
    assert [line[0] for line in begun] == ["✗", "✓", "✓", "…"]
    below = lines[next(at for at, line in enumerate(lines) if "subtask10" in line) + 1]
    assert below.startswith("… tier1: sim-free running")
