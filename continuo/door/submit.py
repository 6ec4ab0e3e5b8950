"""The one way from what somebody asks to a run."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from continuo.authoring.files import is_file
from continuo.authoring.library import Library
from continuo.door.media import NO_MEDIA, keep
from continuo.door.request import Request
from continuo.door.runs import Run, start
from continuo.door.stages import accepted
from continuo.jobs import Context, Job, Outcome
from continuo.parts import Media


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
        job, weight = await asyncio.to_thread(self._accepted, request, context)
        await keep(self.client, self.library.settings, media)
        id = run_id(request, context.tenant)
        if request.id is None:
            return Run(await start(self.client, job, id=id, weight=weight))
        once = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
        try:
            return Run(await start(self.client, job, id=id, weight=weight, reuse=once))
        except WorkflowAlreadyStartedError as error:
            handle = self.client.get_workflow_handle(id, run_id=error.run_id, result_type=Outcome)
            return Run(handle, answered_before=True)

    def run(self, id: str) -> Run:
        """The run with this workflow id, submitted before by whomever; if it ran more than once, the newest."""
        return Run(self.client.get_workflow_handle(id, result_type=Outcome))

    def _accepted(self, request: Request, context: Context) -> tuple[Job, float]:
        """The job and the weight of its key, else its tenant's."""
        weight = context.key and context.key.weight
        return accepted(self.library, request, context), weight or self.library.tenants.of(context.tenant).weight


def run_id(request: Request, tenant: str) -> str:
    """The workflow id of a run: a new one, or the one that the request's `id` has for its pattern and `tenant` alone.

    No part but the last can hold a slash, so no two ids are the same by chance.
    """
    name = request.pattern_name
    name = Path(name).stem if is_file(name) else name.replace("%", "%25").replace("/", "%2F").replace(":", "-")
    return f"{name}-{uuid4()}" if request.id is None else f"{name}/{tenant}/{request.id}"
