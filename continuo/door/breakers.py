"""The breakers of the catalog's providers: how they are, and what a person does to them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from continuo.protection.breaker import QUEUE, TYPE, State, workflow_id
from continuo.stores.board import Board
from continuo.stores.database import Database

if TYPE_CHECKING:
    from temporalio.client import Client

Act = Literal["force_open", "force_close", "reset"]


async def breaker_states(database: Database, providers: Iterable[str]) -> dict[str, State]:
    """Of each of these providers; one that was never heard of has never failed."""
    known = await Board(database).all()
    return {name: known.get(name, State(provider=name)) for name in providers}


async def act_on_breaker(client: "Client", state: State, act: Act, note: str, length: timedelta | None = None) -> str:
    """Do it; the id of the workflow that was told. `note` says why, and is kept; `force_open` may have a `length`."""
    # Loaded here: the states are told without it.
    from temporalio.common import WorkflowIDConflictPolicy

    id = workflow_id(state.provider)
    await client.start_workflow(
        TYPE,
        state,
        id=id,
        task_queue=QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=act,
        # Pools of earlier releases know of no length.
        start_signal_args=[note] if length is None else [note, length.total_seconds()],
        static_summary=f"breaker of {state.provider}",
    )
    return id
