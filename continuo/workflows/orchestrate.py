"""A planner splits a task, executors do the parts at once, a validator checks what they did."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from functools import partial

from temporalio import workflow

from continuo.activities.orchestrating import Assessment, Orchestrating
from continuo.decisions.orchestrated import saved, shares
from continuo.decisions.plans import (
    PLANNER,
    VALIDATOR,
    VERDICT,
    Plan,
    SubTask,
    planned,
    schema,
    tasks_in,
    tasks_text,
    verdict,
)
from continuo.decisions.prompts import filled, listed
from continuo.jobs import Failure, Job, Orchestration, Outcome, under
from continuo.messages import Message
from continuo.patterns import Orchestrate
from continuo.patterns.choices import Concatenate, Merge
from continuo.temporal.failures import failed, sized
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.local_limits import STORE_LIMIT
from continuo.workflows.recorded import recorded
from continuo.workflows.run_account import run_account
from continuo.workflows.step import run_inline, run_step, try_step
from continuo.workflows.together import Result, together

FAILED = "OrchestrateFailed"


@run_inline.register
async def orchestrate(step: Orchestrate, job: Job) -> Outcome:
    try:
        tasks = tasks_in(job.data, job.request.prompt)
    except ValueError as error:
        raise failed(Failure(type="InvalidInput", message=str(error))) from None
    if step.planner and len(tasks) > step.max_subtasks:
        message = f"the data's field 'tasks' has {len(tasks)}, more than max_subtasks, {step.max_subtasks}; split it"
        raise failed(Failure(type="InvalidInput", message=message))
    if tasks != (job.request.prompt,):
        job = job.asking(sized(tasks_text(job.request.prompt, tasks), "the tasks"))
    assessment = await workflow.execute_local_activity_method(
        Orchestrating.assess, job, schedule_to_close_timeout=STORE_LIMIT
    )
    return await _Orchestration(step, job, len(tasks), assessment).outcome()


class _Orchestration:
    """One run of the pattern. `reasons` tell what went another way than planned, and `wasted` are the paths of the
    steps whose answers were not used."""

    def __init__(self, step: Orchestrate, job: Job, tasks: int, assessment: Assessment) -> None:
        self._step, self._job, self._tasks, self._assessment = step, job, tasks, assessment
        self._reasons: list[str] = []
        self._wasted: set[str] = set()
        self._answers: dict[str, Outcome] = {}
        self._slots = asyncio.Semaphore(step.max_parallel)
        self._last = 0
        """The furthest executor that had to be asked, from 0."""

    async def outcome(self) -> Outcome:
        before = len(run_account().calls)
        plan = await self._plan() if self._step.planner and self._assessment.level != "simple" else None
        answer = await (self._split(plan) if plan else self._whole(0))
        calls = tuple(run_account().calls[before:])
        if self._job.path:
            calls = under(self._job.path, calls)
        orchestrator, executors = shares(self._job.path, calls)
        orchestration = Orchestration(
            level=self._assessment.level,
            reasons=self._assessment.reasons,
            estimated_usd=self._assessment.estimated_usd,
            subtasks=len(plan.subtasks) if plan else 0,
            orchestrator=orchestrator,
            executors=executors,
            against=self._assessment.against,
            saved_usd=saved(calls, self._wasted, self._assessment.price),
        )
        return answer.replaced(orchestration=orchestration, reasons=(*self._reasons, *answer.reasons))

    async def _plan(self) -> Plan | None:
        """The plan, None where the planner fails or makes no valid one twice."""
        assert self._step.planner is not None
        job = self._job.instructed(PLANNER.format(most=self._step.max_subtasks))
        request = job.request.model_copy(update={"response_schema": schema(self._tasks)})
        for name in ("plan", "repair"):
            result = await try_step(self._step.planner, job.model_copy(update={"request": request}), name)
            if isinstance(result, Failure):
                self._reasons.append(f"{name}: {result.cause}")
                return None
            plan = planned(result.text, most=self._step.max_subtasks, tasks=self._tasks)
            wrong = await recorded(self._job, name, plan if isinstance(plan, str) else None, str | None)
            if wrong is None and isinstance(plan, Plan):
                return plan
            self._reasons.append(f"{name}: {wrong}")
            self._waste(name)
            asking = Message(role="user", content=f"This plan cannot be used: {wrong}. Write the whole plan again.")
            turns = (*request.messages, Message(role="assistant", content=result.text or "(nothing)"), asking)
            request = request.model_copy(update={"messages": turns})
        return None

    async def _split(self, plan: Plan) -> Outcome:
        async def hopeless(results: Mapping[str, Result]) -> bool:
            return any(isinstance(one, Failure) for one in results.values())

        work = {
            one.id: partial(self._subtask, number, one, plan.subtasks) for number, one in enumerate(plan.subtasks, 1)
        }
        results = await together(work, hopeless)
        outputs = {name: one.text for name, one in results.items() if isinstance(one, Outcome)}
        for name, one in results.items():
            if isinstance(one, Failure):
                causes = tuple(f"{name}: {cause}" for cause in one.causes)
                raise self._failed(f"sub-task {name!r} failed: {one.message}", causes, outputs)
        answer = (await self._merged(plan, outputs)).replaced(outputs=outputs)
        alone = len(outputs) == 1 and not isinstance(self._step.merge, Merge)
        wrong = None if alone else await self._wrong(self._job.request.prompt, answer.text, "validate")
        if wrong is None:
            return answer
        self._reasons.append(f"the merged answer: {wrong}")
        self._wasted |= {self._path(f"subtask{number}") for number in range(1, len(work) + 1)} | {self._path("merge")}
        whole = await self._whole(min(self._last + 1, len(self._step.executors) - 1))
        return whole.replaced(outputs=outputs)

    async def _subtask(self, number: int, subtask: SubTask, all_of_them: Iterable[SubTask]) -> Result:
        await workflow.wait_condition(lambda: self._answers.keys() >= set(subtask.depends_on))
        given = {one.id: self._answers[one.id].text for one in all_of_them if one.id in subtask.depends_on}
        parts = [f"The whole task, of which others do the rest:\n{self._job.request.prompt}"]
        parts += [f"Results that you need:\n\n{listed(given)}"] if given else []
        prompt = sized("\n\n".join([*parts, f"Do this part alone:\n{subtask.instruction}"]), f"sub-task {subtask.id!r}")
        job = self._job.asking(prompt)
        job = job.model_copy(update={"request": job.request.as_text()})
        async with self._slots:
            result = await self._execute(job, subtask.instruction, f"subtask{number}.", 0)
        if isinstance(result, Outcome):
            self._answers[subtask.id] = result
        return result

    async def _whole(self, first: int) -> Outcome:
        """The task as one call, of the executors from `first` on."""
        result = await self._execute(self._job, self._job.request.prompt, "", first)
        if isinstance(result, Failure):
            causes = (*self._reasons, *result.causes)
            raise self._failed(result.message, causes, {name: one.text for name, one in self._answers.items()})
        return result

    async def _execute(self, job: Job, task: str, under: str, first: int) -> Result:
        """The first answer of an executor that is valid, or why there is none."""
        causes: list[str] = []
        for number, (name, executor) in enumerate(self._step.order(self._assessment.level).items()):
            if number < first:
                continue
            self._last = max(self._last, number)
            result = await try_step(executor, job, f"{under}{name}")
            if isinstance(result, Failure):
                causes.append(f"{name}: {result.cause}")
            elif (wrong := await self._wrong(task, result.text, f"{under}validate{number + 1}")) is not None:
                causes.append(f"{name}: {wrong}")
            else:
                self._reasons += [f"{under}{cause}" for cause in causes]
                return result
            self._waste(f"{under}{name}")
        message = f"no executor gave a valid answer; {'; '.join(causes)}"
        return Failure(type=FAILED, message=message, causes=tuple(causes))

    async def _wrong(self, task: str, answer: str, name: str) -> str | None:
        """Why an answer is not valid; None for one that is, and for one that could not be checked."""
        if self._step.validator is None:
            return None
        prompt = sized(f"Task:\n{task}\n\nAnswer:\n{answer}", "what the validator is asked")
        job = self._job.asking(prompt).instructed(VALIDATOR)
        request = job.request.model_copy(update={"response_schema": VERDICT})
        data = {**job.data, "question": task, "answer": answer}
        result = await try_step(self._step.validator, job.model_copy(update={"request": request, "data": data}), name)
        if isinstance(result, Failure):
            self._reasons.append(f"not checked, {name}: {result.cause}")
            return None
        said = await recorded(self._job, name, verdict(result.text), tuple[bool, str] | None)
        if said is None:
            self._reasons.append(f"not checked, {name}: the validator said neither valid nor invalid")
            return None
        return None if said[0] else f"not valid{said[1] and ': '}{said[1]}"

    async def _merged(self, plan: Plan, outputs: Mapping[str, str]) -> Outcome:
        merge = self._step.merge
        if isinstance(merge, Merge):
            prompt = filled(merge.prompt, {"input": self._job.request.prompt, "answers": listed(outputs)})
            return await run_step(merge.step, self._job.asking(sized(prompt, "the prompt of merge")), "merge")
        results = {one.id: outputs[one.id] for one in plan.results}
        text = merge.separator.join(results.values()) if isinstance(merge, Concatenate) else json.dumps(results)
        served = {one.served_by for one in self._answers.values()}
        return Outcome(
            text=sized(text, "the sub-tasks' results"),
            served_by=served.pop() if len(served) == 1 else "model",
            simulated=any(one.simulated for one in self._answers.values()),
        )

    def _path(self, name: str) -> str:
        return f"{self._job.path}.{name}".lstrip(".")

    def _waste(self, name: str) -> None:
        self._wasted.add(self._path(name))

    def _failed(self, message: str, causes: tuple[str, ...], outputs: Mapping[str, str]) -> Exception:
        return failed(Failure(type=FAILED, message=message, causes=causes, outputs=dict(outputs)))


@workflow.defn(name="Orchestrate")
class OrchestrateWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
