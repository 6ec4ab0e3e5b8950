"""How a task is judged, split and put together again, as pure functions."""

from collections.abc import Mapping, Sequence, Set
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, JsonValue, ValidationError

from continuo.data import Data
from continuo.decisions.classify import complexity
from continuo.decisions.confidence import json_object
from continuo.decisions.prompts import listed
from continuo.messages import Usage, estimated_tokens

Level = Literal["simple", "moderate", "complex", "expert"]

WORDS = 50
"""More make a task long."""

ANSWER_TOKENS: Mapping[Level, int] = {"simple": 200, "moderate": 600, "complex": 1500, "expert": 3000}
"""How long an answer is taken to be, for what one by a paid model is estimated to cost."""

PLANNING = (
    "You split a task into subtasks for others, who do them at the same time and see neither each other's nor the whole"
    ' task. Answer with JSON alone: {{"subtasks": [{{"id": a short name, "instruction": all that whoever does it'
    ' must know, "depends_on": ids of the subtasks whose answers it needs, or null, "task": the number of the task'
    " that it belongs to}}]}}. Write at most {most} subtasks, and as few as make sense."
)
VALIDATING = (
    'You check the answers to the subtasks of a task. Answer with JSON alone: {"rejected": [{"id": the subtask,'
    ' "reason": what must become better}]}, with each answer that is wrong, incomplete or beside the point, or null'
    " if all are good."
)


T = TypeVar("T")
Some = Annotated[tuple[T, ...], BeforeValidator(lambda value: () if value is None else value)]
"""A list that models may write as null."""


class Assessment(Data):
    """How hard a task is taken to be: `score` as `classify.complexity` has it (0..1), and why, in words.

    Under .3 it is simple, under .6 moderate, under .8 complex, and expert from there.
    """

    level: Level
    score: float
    reasoning: str


class Subtask(Data, extra="ignore"):
    """A part of a task (the first is number 1), which needs the answers of others."""

    id: str = Field(min_length=1, max_length=100)
    instruction: str = Field(min_length=1)
    depends_on: Some[str] = ()
    task: int = Field(default=1, ge=1)


class Plan(Data, extra="ignore"):
    subtasks: tuple[Subtask, ...] = Field(min_length=1)


class Rejection(Data, extra="ignore"):
    id: str
    reason: str = ""


class Verdict(Data, extra="ignore"):
    rejected: Some[Rejection]


TEXT: dict[str, JsonValue] = {"type": "string"}


def _object(**properties: JsonValue) -> dict[str, JsonValue]:
    """A schema as those that are strict want it: every field is required, and no other one may be there."""
    closed: dict[str, JsonValue] = {"type": "object", "additionalProperties": False}
    return {**closed, "properties": properties, "required": list(properties)}


def _some(item: JsonValue) -> JsonValue:
    """A list, or null where there is none."""
    return {"anyOf": [{"type": "null"}, {"type": "array", "items": item}]}


PLAN = _object(
    subtasks={
        "type": "array",
        "items": _object(id=TEXT, instruction=TEXT, depends_on=_some(TEXT), task={"type": "integer", "minimum": 1}),
    }
)
"""The JSON schema of a plan."""

VERDICT = _object(rejected=_some(_object(id=TEXT, reason=TEXT)))
"""The JSON schema of what a validator answers."""


def assessed(task: str) -> Assessment:
    score = complexity(task, WORDS)
    level: Level = "simple" if score < 0.3 else "moderate" if score < 0.6 else "complex" if score < 0.8 else "expert"
    reasoning = f"{len(task.split())} words, complexity {score:g} of 1"
    return Assessment(level=level, score=score, reasoning=reasoning)


def is_split(level: Level, tasks: int, *, prefer_free: bool) -> bool:
    """Whether the task is planned: several always are."""
    return tasks > 1 or level in ("complex", "expert") or (level == "moderate" and not prefer_free)


def expected(task: str, level: Level) -> Usage:
    """The tokens of one answer to the whole task."""
    return Usage(input_tokens=estimated_tokens(task), output_tokens=ANSWER_TOKENS[level], estimated=True)


def plan_in(answer: str, most: int, tasks: int) -> Plan | str:
    """The plan that a planner wrote for so many tasks, or what is wrong with it."""
    written = json_object(answer)
    if written is None:
        return "it is no JSON object"
    try:
        plan = Plan.model_validate(written)
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    ids = [one.id for one in plan.subtasks]
    if len(ids) > most:
        return f"it has {len(ids)} subtasks, more than {most}"
    if len(set(ids)) < len(ids):
        return "two subtasks have the same id"
    for one in plan.subtasks:
        for needed in one.depends_on:
            if needed not in ids:
                return f"{one.id!r} depends on {needed!r}, which is no subtask"
        if one.task > tasks:
            return f"{one.id!r} belongs to task {one.task}, and there are {tasks}"
    if missing := set(range(1, tasks + 1)) - {one.task for one in plan.subtasks}:
        return f"task {min(missing)} has no subtask"
    try:
        TopologicalSorter({one.id: one.depends_on for one in plan.subtasks}).prepare()
    except CycleError as error:
        return f"subtasks depend on each other in a circle: {' -> '.join(error.args[1])}"
    return plan


def rejected_in(answer: str, ids: Set[str]) -> dict[str, str] | None:
    """Which of the answers a validator rejected, and why; None where it said nothing that can be understood."""
    try:
        verdict = Verdict.model_validate(json_object(answer))
    except ValidationError:
        return None
    return {one.id: one.reason or "no reason given" for one in verdict.rejected if one.id in ids}


def with_dependents(plan: Plan, ids: Set[str]) -> set[str]:
    """These subtasks, and all whose answers rest on theirs."""
    again = set(ids)
    needs = {one.id: one.depends_on for one in plan.subtasks}
    for id in TopologicalSorter(needs).static_order():
        if not again.isdisjoint(needs[id]):
            again.add(id)
    return again


def results_of(plan: Plan, answers: Mapping[str, str], task: int) -> dict[str, str]:
    """The answers to a task's subtasks on which no other one of it depends, in the order of the plan."""
    own = [one for one in plan.subtasks if one.task == task]
    needed = {id for one in own for id in one.depends_on}
    return {one.id: answers[one.id] for one in own if one.id not in needed}


def task_text(tasks: Sequence[str]) -> str:
    return tasks[0] if len(tasks) == 1 else listed({f"Task {number}": task for number, task in enumerate(tasks, 1)})


def subtask_prompt(subtask: Subtask, answers: Mapping[str, str], rejection: str | None) -> str:
    """What an executor is asked: the subtask, what it rests on, and why the answer before was not good enough."""
    parts = [subtask.instruction]
    if subtask.depends_on:
        parts.append(f"This is known already:\n\n{listed({id: answers[id] for id in subtask.depends_on})}")
    if rejection is not None:
        parts.append(f"An earlier answer was rejected: {rejection}")
    return "\n\n".join(parts)


def checked_prompt(task: str, plan: Plan, answers: Mapping[str, str], ids: Set[str]) -> str:
    """What a validator is asked about the answers to these subtasks."""
    parts = {
        one.id: f"Subtask:\n{one.instruction}\n\nAnswer:\n{answers[one.id]}" for one in plan.subtasks if one.id in ids
    }
    return f"Task:\n{task}\n\n{listed(parts)}"
