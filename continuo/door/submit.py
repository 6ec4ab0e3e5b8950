"""The one way from what somebody asks to a run."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from continuo.authoring.files import is_file
from continuo.authoring.library import Library
from continuo.door.agents import say, sayable
from continuo.door.media import NO_MEDIA, keep
from continuo.door.request import Request
from continuo.door.runs import Run, start
from continuo.door.stages import accepted
from continuo.errors import InputError
from continuo.jobs import Context, Job, Outcome
from continuo.parts import Media

TRIES = 5
"""How often a conversation may end just as it is spoken to."""


@dataclass(frozen=True)
class Checked:
    """A request that has passed every stage: the job that does it, and the weight of its key, else its tenant's."""

    request: Request
    job: Job
    weight: float

    def known_as(self, id: str) -> "Checked":
        """The same request with this id."""
        return replace(self, request=self.request.model_copy(update={"id": id}))

    def run_id(self) -> str:
        """The id of its run, a new one each time where the request has no id and is no part of a conversation."""
        context = self.job.context
        return run_id(self.request, context.tenant, context.conversation)


class Door:
    """Where every caller submits: commands, the Python client, a gateway. One serves a whole process."""

    def __init__(self, client: Client, library: Library) -> None:
        self.client = client
        self.library = library

    async def submit(self, request: Request, context: Context, media: Mapping[Media, bytes] = NO_MEDIA) -> Run:
        """Check what is asked and start it; what runs under its `id` is joined, what has answered is not done again.

        `media` has the content of those of the request that are not kept yet, which is done before it starts.
        Raises `InputError` for whatever cannot run here, and `RPCError` where Temporal cannot be reached.
        """
        return await self.start(await self.check(request, context), media)

    async def check(self, request: Request, context: Context) -> Checked:
        """The first half of `submit`: nothing has begun. Raises `InputError`."""
        return await asyncio.to_thread(self._checked, request, context)

    async def start(self, checked: Checked, media: Mapping[Media, bytes] = NO_MEDIA) -> Run:
        """The second half of `submit`."""
        await keep(self.client, self.library.settings, media)
        job, weight, id = checked.job, checked.weight, checked.run_id()
        if job.context.conversation is not None:
            return await self._converse(checked)
        if checked.request.id is None:
            return Run(await start(self.client, job, id=id, weight=weight))
        # A run that its caller asks for by its id has ended, however it did.
        failed_only, never = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, WorkflowIDReusePolicy.REJECT_DUPLICATE
        once = never if job.context.background else failed_only
        try:
            return Run(await start(self.client, job, id=id, weight=weight, reuse=once))
        except WorkflowAlreadyStartedError as error:
            handle = self.client.get_workflow_handle(id, run_id=error.run_id, result_type=Outcome)
            return Run(handle, answered_before=True)

    async def _converse(self, checked: Checked) -> Run:
        """Say it to the agent whose conversation it is; where that has ended, begin it anew, and it goes on."""
        id, job = checked.run_id(), checked.job
        for _ in range(TRIES):
            try:
                return Run(await start(self.client, job, id=id, weight=checked.weight, join=False))
            except WorkflowAlreadyStartedError:
                if await say(self.client, id, sayable(job)):
                    return self.run(id)
        raise InputError(f"conversation {job.context.conversation!r} ended whenever it was spoken to; try again")

    def run(self, id: str) -> Run:
        """The run with this workflow id, submitted before by whomever; if it ran more than once, the newest."""
        return Run(self.client.get_workflow_handle(id, result_type=Outcome))

    async def known(self, id: str) -> Run | None:
        """The same with the id of its run; None where Temporal knows of none."""
        try:
            known = await self.client.get_workflow_handle(id).describe()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return None
        return Run(self.client.get_workflow_handle(id, run_id=known.run_id, result_type=Outcome))

    def _checked(self, request: Request, context: Context) -> Checked:
        weight = (context.key and context.key.weight) or self.library.tenants.of(context.tenant).weight
        return Checked(request, accepted(self.library, request, context), weight)


def run_id(request: Request, tenant: str, conversation: str | None = None) -> str:
    """The workflow id of a run: a new one, or the one that the request's `id`, or the conversation, has for its pattern
    and `tenant` alone.

    No part but the last can hold a slash, and no tenant is empty, so no two ids are the same by chance.
    """
    name = request.pattern_name
    name = Path(name).stem if is_file(name) else name.replace("%", "%25").replace("/", "%2F").replace(":", "-")
    if conversation is not None:
        return f"{name}//{tenant}/{conversation}"
    return f"{name}-{uuid4()}" if request.id is None else f"{name}/{tenant}/{request.id}"
