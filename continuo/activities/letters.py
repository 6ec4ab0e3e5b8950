"""What a dead letter has to know before its job is tried again."""

import asyncio

from temporalio import activity
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from continuo.authoring.library import Library
from continuo.door.stages import again
from continuo.errors import InputError
from continuo.jobs import Job


class Letters:
    """Local activities: each takes one look."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @activity.defn(name="with_pattern")
    async def again(self, job: Job, name: str | None) -> Job:
        """The same job, for another named pattern if one is given, after all that it would have to pass if it were
        asked now. Fails, of type `InputError`, if it cannot run."""
        try:
            return await asyncio.to_thread(again, self._library, job, name)
        except InputError as error:
            raise ApplicationError(str(error), type="InputError", non_retryable=True) from None

    @activity.defn(name="answered")
    async def answered(self, workflow_id: str) -> str | None:
        """The id of the newest run of `workflow_id`, if that has been completed."""
        run = await activity.client().get_workflow_handle(workflow_id).describe()
        return run.run_id if run.status == WorkflowExecutionStatus.COMPLETED else None
