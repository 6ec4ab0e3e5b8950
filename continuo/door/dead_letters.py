"""The dead letters that are open: listed, retried and discarded in Temporal."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from continuo.door.plain import plain_run
from continuo.door.runs import Run
from continuo.door.ui import ui_address
from continuo.errors import InputError
from continuo.operations.dead_letters import TYPE, Letter

_OPEN = f"WorkflowType = '{TYPE}' AND ExecutionStatus = 'Running'"


@dataclass(frozen=True)
class Entry:
    """An open letter: its workflow, what its memo tells of it, and the address of the failed run in Temporal's UI."""

    handle: WorkflowHandle[Any, Any]
    brief: dict[str, Any]
    history: str

    async def letter(self) -> Letter:
        """All of it. Raises `InputError` as long as no worker answers for it."""
        try:
            letter: Letter = await self.handle.query("letter", result_type=Letter, rpc_timeout=timedelta(seconds=2))
        except (RPCError, WorkflowQueryFailedError) as error:
            raise InputError(f"no pool answers for {self.handle.id} ({error}); start one: continuo workers") from None
        return letter

    async def send(self, signal: Literal["retry", "discard"], value: str | None) -> None:
        """Retry it, as the named pattern `value` if that is given, or discard it, with `value` as the note. Raises
        `InputError` for one that is closed."""
        try:
            await self.handle.signal(signal, value)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            raise InputError(f"id: {self.handle.id} has just been closed; see `continuo dead-letters`") from None


async def count_letters(client: Client) -> int:
    """How many there are."""
    return (await client.count_workflows(_OPEN)).count


async def open_letters(client: Client, ui_url: str) -> list[Entry]:
    """All of them, the newest first."""
    entries = []
    async for run in client.list_workflows(_OPEN):
        brief = dict(await run.memo())
        id, run_id = brief["workflow_id"], brief["run_id"]
        failed = (
            plain_run(client, id, run_id) if "plain" in brief else Run(client.get_workflow_handle(id, run_id=run_id))
        )
        handle = client.get_workflow_handle(run.id)
        entries.append(Entry(handle, brief, ui_address(ui_url, client.namespace, failed)))
    return sorted(entries, key=lambda entry: str(entry.brief["time"]), reverse=True)
