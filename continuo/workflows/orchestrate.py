"""A planner splits a task, executors do its parts at once, a validator checks them."""

from collections.abc import Mapping
from functools import partial
from itertools import count

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import FailureError

from continuo.activities.pricing import Pricing
from continuo.decisions.orchestrate import (
    PLAN,
    PLANNING,
    VALIDATING,
    VERDICT,
    Assessment,
    Plan,
    Subtask,
    assessed,
    checked_prompt,
    expected,
    is_split,
    plan_in,
    rejected_in,
    results_of,
    subtask_prompt,
    task_text,
    with_dependents,
)
from continuo.decisions.prompts import listed
from continuo.jobs import Failure, Job, Orchestration, Outcome, Spent, total_cost, under
from continuo.messages import Usage
from continuo.patterns import Orchestrate
from continuo.temporal.failures import failed, sized
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.local_limits import STORE_LIMIT
from continuo.workflows.recorded import recorded
from continuo.workflows.run_account import run_account
from continuo.workflows.step import run_inline, run_step, try_step
from continuo.workflows.together import Result, together

WHOLE = "task"
"""The id of the one subtask of a task that is not split."""
SUBTASK = "subtask"
"""Begins the names of the subtasks in paths."""


@run_inline.register
async def orchestrate(step: Orchestrate, job: Job) -> Outcome:
    return await _Orchestration(step, job).run()


class _Orchestration:
    """One task, or several, on their way: `levels` says which executor each subtask is at, from 0."""

    def __init__(self, step: Orchestrate, job: Job) -> None:
        self._step = step
        self._job = job
        self._tasks = _tasks(job)
        self._text = task_text(self._tasks)
        self._levels: dict[str, int] = {}
        self._rejections: dict[str, str] = {}
        self._answers: dict[str, Outcome] = {}
        self._reasons: list[str] = []

    async def run(self) -> Outcome:
        step = self._step
        assessment = await recorded(self._job, "assessed", assessed(self._text), Assessment)
        split = is_split(assessment.level, len(self._tasks), prefer_free=step.prefer_free)
        plan = await self._planned() if split else None
        whole = plan is None
        if plan is None:
            plan = Plan(subtasks=(Subtask(id=WHOLE, instruction=self._text),))
        dearest = assessment.level == "expert" and not step.prefer_free
        first = len(step.executors) - 1 if dearest else 0
        self._levels = {one.id: first for one in plan.subtasks}
        for attempt in count(1):
            await self._execute(plan, whole=whole)
            if not (rejected := await self._rejected(plan, attempt)):
                break
            for id in rejected:
                self._levels[id] += 1
            for id in with_dependents(plan, rejected.keys()):
                del self._answers[id]
            self._rejections = rejected
        outcome = self._answers[WHOLE] if whole else await self._aggregated(plan)
        return outcome.model_copy(
            update={
                "reasons": tuple(self._reasons),
                "simulated": any(one.simulated for one in self._answers.values()),
                "orchestration": await self._account(assessment, len(plan.subtasks)),
            }
        )

    async def _planned(self) -> Plan | None:
        """The plan, or None where there is none that can be used."""
        system, prompt = PLANNING.format(most=self._step.subtasks), self._text
        for name in ("planner", "planner.repair"):
            result = await try_step(self._step.planner, self._instructed(system, prompt, PLAN), name)
            if isinstance(result, Failure):
                self._reasons.append(f"planner: {result.cause}")
                return None
            plan = plan_in(result.text, self._step.subtasks, len(self._tasks))
            if isinstance(plan, Plan):
                return plan
            self._reasons.append(f"planner: the plan cannot be used: {plan}")
            prompt = f"{self._text}\n\nYour plan:\n{result.text}\n\nIt cannot be used: {plan}. Write it again."
        return None

    async def _execute(self, plan: Plan, *, whole: bool) -> None:
        """Do every subtask that has no answer, each as soon as those that it rests on have theirs."""

        async def one(subtask: Subtask) -> Result:
            await workflow.wait_condition(lambda: self._answers.keys() >= set(subtask.depends_on))
            result = await self._done(subtask, whole=whole)
            if isinstance(result, Outcome):
                self._answers[subtask.id] = result
            return result

        async def lost(results: Mapping[str, Result]) -> bool:
            return any(isinstance(result, Failure) for result in results.values())

        open_ones = [subtask for subtask in plan.subtasks if subtask.id not in self._answers]
        results = await together({subtask.id: partial(one, subtask) for subtask in open_ones}, lost)
        for id, result in results.items():
            if isinstance(result, Failure):
                outputs = {name: outcome.text for name, outcome in self._answers.items()}
                message = f"subtask {id!r} has no answer: {result.message}"
                raise failed(
                    Failure(type="OrchestrationFailed", message=message, causes=result.causes, outputs=outputs)
                )

    async def _done(self, subtask: Subtask, *, whole: bool) -> Result:
        """The answer of the first executor, from the subtask's own on, that has one."""
        job, causes = self._job, []
        if not whole or subtask.id in self._rejections:
            answers = {id: self._answers[id].text for id in subtask.depends_on}
            prompt = subtask_prompt(subtask, answers, self._rejections.get(subtask.id))
            job = job.asking(sized(prompt, f"what subtask {subtask.id!r} asks"))
        while self._levels[subtask.id] < len(self._step.executors):
            level = self._levels[subtask.id]
            result = await try_step(self._step.executors[level], job, f"{self._path(subtask)}.executor{level + 1}")
            if isinstance(result, Outcome):
                return result
            causes.append(f"executor {level + 1}: {result.cause}")
            self._reasons.append(f"{subtask.id}: {causes[-1]}")
            self._levels[subtask.id] += 1
        return Failure(type="OrchestrationFailed", message="; ".join(causes), causes=tuple(causes))

    async def _rejected(self, plan: Plan, attempt: int) -> dict[str, str]:
        """Which answers must be better, and why: of those that another executor can still give."""
        last = len(self._step.executors) - 1
        ids = {id for id, level in self._levels.items() if level < last}
        if self._step.validator is None or not ids or attempt > last:
            return {}
        answers = {id: self._answers[id].text for id in ids}
        prompt = sized(checked_prompt(self._text, plan, answers, ids), "what the validator is asked")
        job = self._instructed(VALIDATING, prompt, VERDICT)
        result = await try_step(self._step.validator, job, f"validator{attempt}")
        rejected = rejected_in(result.text, ids) if isinstance(result, Outcome) else None
        if rejected is None:
            why = result.cause if isinstance(result, Failure) else f"it said {result.text[:80]!r}"
            self._reasons.append(f"validator: the answers are not checked: {why}")
            return {}
        self._reasons += [f"{id}: rejected: {reason}" for id, reason in rejected.items()]
        return rejected

    async def _aggregated(self, plan: Plan) -> Outcome:
        answers = {id: outcome.text for id, outcome in self._answers.items()}
        merged: dict[str, Outcome] = {}
        for number, task in enumerate(self._tasks, 1):
            results = results_of(plan, answers, number)
            if self._step.merge is None:
                text = "\n\n".join(results.values())
                merged[str(number)] = Outcome(text=sized(text, "the answer"), served_by="model")
                continue
            prompt = sized(f"{task}\n\nMake one answer of these:\n\n{listed(results)}", "what is to be merged")
            name = "merge" if len(self._tasks) == 1 else f"merge{number}"
            merged[str(number)] = await run_step(self._step.merge, self._job.asking(prompt), name)
        if len(merged) == 1:
            return merged["1"].replaced(outputs=answers)
        texts = {number: outcome.text for number, outcome in merged.items()}
        text = sized(listed({f"Task {number}": text for number, text in texts.items()}), "the answer")
        return Outcome(text=text, served_by="model", outputs=texts)

    async def _account(self, assessment: Assessment, subtasks: int) -> Orchestration:
        """What planning and executing took, beside what it would have cost all by the dearest model."""
        calls = tuple(run_account().calls)
        mine = under(self._job.path, calls) if self._job.path else calls
        below = f"{self._job.path}.{SUBTASK}".lstrip(".")
        executors = tuple(call for call in mine if call.path.startswith(below))
        others = tuple(call for call in mine if call not in executors)
        usage = sum((call.usage for call in mine), Usage())
        estimated, all_paid = await self._priced(expected(self._text, assessment.level), usage)
        cost = total_cost(mine)
        return Orchestration(
            level=assessment.level,
            reasoning=assessment.reasoning,
            subtasks=subtasks,
            estimated_usd=estimated,
            orchestrating=Spent(usage=sum((call.usage for call in others), Usage()), cost_usd=total_cost(others)),
            executing=Spent(usage=sum((call.usage for call in executors), Usage()), cost_usd=total_cost(executors)),
            all_paid_usd=all_paid,
            saved_usd=None if all_paid is None or cost is None else round(all_paid - cost, 9),
        )

    async def _priced(self, *usages: Usage) -> list[float | None]:
        model = self._step.dearest
        if model is None:
            return [None] * len(usages)
        try:
            return await workflow.execute_local_activity_method(
                Pricing.price, args=[model, list(usages)], schedule_to_close_timeout=STORE_LIMIT
            )
        except FailureError as error:
            # The answer is paid, and is not lost for what it is compared with.
            workflow.logger.warning(f"what {model} would have cost is unknown: {error}")
            return [None] * len(usages)

    def _instructed(self, system: str, prompt: str, schema: dict[str, JsonValue]) -> Job:
        job = self._job.asking(sized(prompt, "what is asked")).instructed(system)
        request = job.request.model_copy(update={"response_schema": schema})
        return job.model_copy(update={"request": request})

    def _path(self, subtask: Subtask) -> str:
        """Its place in the plan: an id that a model wrote is no part of a path."""
        return f"{SUBTASK}{list(self._levels).index(subtask.id) + 1}"


def _tasks(job: Job) -> tuple[str, ...]:
    """The texts that the job's data has as `tasks`, or what the job asks."""
    tasks = job.data.get("tasks")
    if isinstance(tasks, list) and tasks and all(isinstance(task, str) and task.strip() for task in tasks):
        return tuple(map(str, tasks))
    return (job.request.prompt,)


@workflow.defn(name="Orchestrate")
class OrchestrateWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
