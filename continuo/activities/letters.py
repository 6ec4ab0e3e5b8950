"""What a dead letter has to know before its job is tried again."""

import asyncio
from collections.abc import Mapping

from temporalio import activity
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.jobs import Job
from continuo.operations.dead_letters import with_pattern


class Letters:
    """Local activities: each takes one look."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ

    @activity.defn(name="with_pattern")
    async def with_pattern(self, job: Job, name: str) -> Job:
        """The same job for another named pattern, as it is now. Fails, of type `InputError`, if that cannot run it."""
        try:
            return await asyncio.to_thread(with_pattern, job, name, self._settings, self._environ)
        except InputError as error:
            raise ApplicationError(str(error), type="InputError", non_retryable=True) from None

    @activity.defn(name="answered")
    async def answered(self, workflow_id: str) -> str | None:
        """The id of the newest run of `workflow_id`, if that has been completed."""
        found = await activity.client().get_workflow_handle(workflow_id).describe()
        return found.run_id if found.status == WorkflowExecutionStatus.COMPLETED else None
