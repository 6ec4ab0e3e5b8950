"""A run as a tree of its steps, of which a screen that is too small for all shows those that matter most."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from continuo.decisions.orchestrated import begun
from continuo.decisions.parts import below
from continuo.jobs import CallRecord, total_cost, under
from continuo.patterns import Call, Orchestrate, Step
from continuo.progress import StepState
from continuo.starters.console.money import money
from continuo.starters.console.terminal import levels, wrapped

CROWD = 12
"""Of more steps than this under one, only those that run or failed are shown; the rest is counted."""

_MARKS = {
    "waiting": ("·", "dim"),
    "running": ("…", "yellow"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("⊘", "magenta"),
}
_CALL = re.compile(r"\.\d+\.\d+(?=\.|$)")
"""In a path the turn and the place of a tool's call."""

_URGENT = ("running", "failed")


@dataclass(frozen=True)
class Row:
    """A line of the tree, which stands for `count` steps, below the row of the number `above`, or the root's."""

    above: int | None
    status: str
    text: str
    count: int = 1

    @property
    def label(self) -> Text:
        return marked(self.status, self.text)


def screenful(step: Step, states: Mapping[str, StepState], calls: Sequence[CallRecord], console: Console) -> Tree:
    """The tree, in no more lines than the console has."""
    room = console.height - 1
    while True:
        drawn = tree(step, states, calls, levels(console), room)
        excess = len(console.render_lines(drawn)) - (console.height - 1)
        if excess <= 0 or room <= 2:
            return drawn
        # Some rows take several lines.
        room = max(2, room - excess)


def tree(
    step: Step, states: Mapping[str, StepState], calls: Sequence[CallRecord], levels: int, room: int | None = None
) -> Tree:
    """Every step of the pattern, with its state, time and cost: in at most `room` rows, told how many more there are.

    What is deeper than `levels` stands on the last of them, under its whole name.
    """
    rows = tree_rows(step, states, calls, levels)
    kept = range(len(rows)) if room is None or len(rows) < room else _most_urgent(rows, room - 2)
    root = Tree(step.kind)
    branches: dict[int | None, Tree] = {None: root}
    for number in kept:
        branches[number] = branches[rows[number].above].add(rows[number].label)
    hidden = Counter[str]()
    for number in set(range(len(rows))).difference(kept):
        hidden[rows[number].status] += rows[number].count
    if hidden:
        counts = ", ".join(f"{count} {status}" for status, count in hidden.items())
        root.add(wrapped(f"… {hidden.total()} not shown: {counts}"))
    return root


def tree_rows(step: Step, states: Mapping[str, StepState], calls: Sequence[CallRecord], levels: int) -> list[Row]:
    """A row for each step below the whole one, each behind the one that it hangs on."""
    rows: list[Row] = []
    _add(rows, step, _newest(states), calls, levels)
    return rows


def details(state: StepState, calls: Sequence[CallRecord]) -> str:
    """How a step is, how long it took and what it cost."""
    seconds = ((state.ended or datetime.now(UTC)) - state.started).total_seconds()
    its = under(state.path, calls)
    cost = f" {money(total_cost(its))}" if its else ""
    return f"{state.status} {seconds:.1f} s{cost}"


def marked(status: str, text: str) -> Text:
    """The text behind the mark of its status."""
    mark, colour = _MARKS[status]
    line = wrapped(f"{mark} {text}")
    line.stylize(colour, 0, 1)
    return line


def _newest(states: Mapping[str, StepState]) -> Mapping[str, StepState]:
    """The states, of what an agent's tool has run often the newest under the tool's own path."""
    newest: dict[str, StepState] = {}
    for path, state in states.items():
        newest[_CALL.sub("", path)] = state
    return {**newest, **states}


def _add(
    rows: list[Row],
    step: Step,
    states: Mapping[str, StepState],
    calls: Sequence[CallRecord],
    levels: int,
    path: str = "",
    above: int | None = None,
    prefix: str = "",
) -> None:
    """Add a row for each step below the one at `path`, whose row is `above`."""
    nested = below(step)
    if isinstance(step, Orchestrate):
        under = f"{path}." if path else ""
        nested = {**nested, **begun(step, (one.removeprefix(under) for one in states if one.startswith(under)))}
    hidden = Counter[str]()
    for name, inner in nested.items():
        inner_path = f"{path}.{name}".lstrip(".")
        state = states.get(inner_path)
        status: str = state.status if state else "waiting"
        if len(nested) > CROWD and status not in _URGENT:
            hidden[status] += 1
            continue
        what = inner.model if isinstance(inner, Call) else inner.kind
        rows.append(Row(above, status, f"{prefix}{name}: {what}{f' {details(state, calls)}' if state else ''}"))
        if levels > 1:
            _add(rows, inner, states, calls, levels - 1, inner_path, len(rows) - 1)
        else:
            _add(rows, inner, states, calls, levels, inner_path, above, f"{prefix}{name}.")
    rows += [Row(above, status, f"{prefix}{count} more {status}", count) for status, count in hidden.items()]


def _most_urgent(rows: Sequence[Row], room: int) -> list[int]:
    """The numbers of at most `room` rows: first those that run or failed, each with what it hangs on."""
    kept = set[int]()
    for number in sorted(range(len(rows)), key=lambda number: rows[number].status not in _URGENT):
        line = set(_upwards(rows, number)) - kept
        if len(kept) + len(line) <= room:
            kept |= line
    return sorted(kept)


def _upwards(rows: Sequence[Row], number: int | None) -> Iterator[int]:
    while number is not None:
        yield number
        number = rows[number].above
