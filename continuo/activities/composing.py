"""What a step that composes needs of the catalog: the pattern of the rules, and whether that of a model can be used."""

import asyncio

from temporalio import activity

from continuo.authoring.composing import Composer, usable
from continuo.authoring.library import Library
from continuo.data import Data
from continuo.door.canary import with_canary
from continuo.errors import InputError
from continuo.jobs import Job
from continuo.patterns import Auto, Step
from continuo.protection.reservation import capped, most_usage


class Composed(Data):
    """The `step` that was composed and the `reasons` for it in a line each, or why there is none. `instructions` are
    those of a model that is to compose a better one."""

    step: Step | None = None
    reasons: tuple[str, ...]
    instructions: str = ""


class Composing:
    """Local activities: what they compose is in the history, whatever becomes of the rules and the catalog."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @activity.defn(name="compose_by_rules")
    async def by_rules(self, job: Job) -> Composed:
        """What the rules compose for the step of the job, and what its model, if it has one, is told."""
        return await asyncio.to_thread(self._composed, job)

    @activity.defn(name="check_composed")
    async def check(self, job: Job, text: str) -> Composed:
        """The same of what its model has written."""
        return await asyncio.to_thread(self._composed, job, text)

    def _composed(self, job: Job, text: str | None = None) -> Composed:
        step, request, library = job.step, job.request, self._library
        assert isinstance(step, Auto)
        instructions = ""
        try:
            models, usage = usable(library, step.models), most_usage(capped(request))
            read, written = usage.input_tokens, usage.output_tokens
            composer = Composer(library, step, models, request, read, written)
            if step.by and text is None:
                instructions = composer.instructions()
            composition = composer.by_rules()[0] if text is None else composer.of_model(text)
        except InputError as error:
            return Composed(reasons=(str(error),), instructions=instructions)
        # What the request itself says has its token already.
        bare = request.model_copy(update={"system": None})
        marked = with_canary(library, job.model_copy(update={"step": composition.step, "request": bare}))
        return Composed(step=marked.step, reasons=composition.reasons, instructions=instructions)
