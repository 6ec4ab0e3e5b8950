"""Reviews and dead letters, of which Temporal alone knows, as events on the bus."""

from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from continuo.decisions.review import MEMO, Brief
from continuo.decisions.review import TYPE as REVIEW
from continuo.operations.dead_letters import TYPE as LETTER
from continuo.operations.events import Event, of_letter, of_review
from continuo.stores.database import Database
from continuo.stores.events import enter_events, unknown_of


async def notice(client: Client, database: Database, since: datetime | None) -> None:
    """Put on the bus the reviews that are open, the letters that were added `since` then (by default in the last day),
    and what of both was closed since then. Raises `RPCError` or `StoreUnavailable`."""
    text = (since or datetime.now(UTC) - timedelta(days=1)).isoformat()
    query = (
        f"(WorkflowType = '{REVIEW}' AND (ExecutionStatus = 'Running' OR CloseTime >= '{text}'))"
        f" OR (WorkflowType = '{LETTER}' AND (StartTime >= '{text}' OR CloseTime >= '{text}'))"
    )
    events: list[Event] = []
    async for run in client.list_workflows(query):
        memo = await run.memo()
        if run.workflow_type == LETTER:
            events += of_letter(memo, run.id, run.start_time, run.close_time)
        elif (brief := memo.get(MEMO)) is not None:
            # Without it what is to be decided is not there yet.
            events += of_review(Brief.model_validate(brief), run.close_time)
    if unknown := await unknown_of(database, events):
        await database.write(lambda connection: enter_events(connection, unknown))
