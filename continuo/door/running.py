"""The cheaper way to run what the door has checked: a plain model call takes no workflow where the server can."""

from collections.abc import Mapping
from dataclasses import replace

from temporalio.exceptions import ActivityAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from continuo.door.media import NO_MEDIA, keep
from continuo.door.plain import PlainRun, is_plain, plain_run, start_plain
from continuo.door.request import Request
from continuo.door.runs import Run
from continuo.door.submit import Checked, Door, run_id
from continuo.parts import Media


class Running:
    """Starts what a door has checked, and finds runs again, whichever kind they are of."""

    def __init__(self, door: Door, *, plain_calls: bool) -> None:
        """`plain_calls` says that the server runs activities which no workflow has started."""
        self.door = door
        self._plain_calls = plain_calls

    async def start(
        self, checked: Checked, media: Mapping[Media, bytes] = NO_MEDIA, *, is_new: bool = False
    ) -> Run | PlainRun:
        """As `Door.start`. `is_new` says that nothing has run under its id before, and spares a look."""
        if self._plain_calls and is_plain(checked.request, checked.job):
            id = checked.run_id()
            await keep(self.door.client, self.door.library.settings, media, id)
            if (run := await self._plain(checked, id, is_new=is_new or checked.request.id is None)) is not None:
                return replace(run, restoring=self.door.restoring(checked))
        return await self.door.start(checked, media)

    async def run(self, id: str) -> Run | PlainRun:
        """The run with this id, submitted before by whomever; if it ran more than once, the newest."""
        return await self.known(id) or self.door.run(id)

    async def known(self, id: str) -> Run | PlainRun | None:
        """The same; None where Temporal knows of none."""
        # What runs under an id after a plain call is a workflow.
        return await self.door.known(id) or await self._known_plain(id)

    async def find(self, request: Request, tenant: str) -> Run | PlainRun | None:
        """The newest run of the request's `id`, pattern and this tenant; None where Temporal knows of none."""
        return await self.known(run_id(request, tenant))

    async def _known_plain(self, id: str) -> PlainRun | None:
        try:
            return plain_run(self.door.client, id, await plain_run(self.door.client, id).newest_run_id())
        except RPCError as error:
            if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.UNIMPLEMENTED):
                raise
        return None

    async def _plain(self, checked: Checked, id: str, *, is_new: bool) -> PlainRun | None:
        """The call's run; None where its id has had a workflow, or a call that failed: then that runs again as one.

        So nothing runs twice, whoever else begins it again, such as a dead letter.
        """
        if not is_new and await self.door.known(id) is not None:
            return None
        try:
            return await start_plain(
                self.door.client, checked.job, id=id, weight=checked.weight, decisions=checked.decisions
            )
        except ActivityAlreadyStartedError as error:
            run = plain_run(self.door.client, id, error.run_id, answered_before=True)
            return run if await run.answered() else None
        except RPCError as error:
            if error.status != RPCStatusCode.UNIMPLEMENTED:
                raise
            # Another server than there was when this process began.
            self._plain_calls = False
            return None
