"""The schedule by which Temporal prunes once a day."""

from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.service import RPCError

from continuo.operations.pruning import QUEUE, SCHEDULE, TYPE

log = structlog.get_logger()

SPEC = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=1), offset=timedelta(hours=3))])
"""At three o'clock, UTC; what was missed by a server that was down is done once when it is back."""


async def ensure_schedule(client: Client) -> None:
    """Create it, unless there is one: what an operator has made of that stays. A cluster may have none."""
    action = ScheduleActionStartWorkflow(TYPE, id=SCHEDULE, task_queue=QUEUE)
    schedule = Schedule(action=action, spec=SPEC, policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP))
    try:
        await client.create_schedule(SCHEDULE, schedule)
    except ScheduleAlreadyRunningError:
        pass
    except RPCError as error:
        log.warning("there is no schedule, so prune by hand: continuo prune", error=str(error))
