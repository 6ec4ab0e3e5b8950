"""The schedules by which Temporal prunes once a day, and every minute looks for alerts and shifts adaptive splits."""

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

from continuo.operations import alerts, pruning, shifts

log = structlog.get_logger()

DAILY = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=1), offset=timedelta(hours=3))])
"""At three o'clock, UTC; what was missed by a server that was down is done once when it is back."""

EVERY_MINUTE = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))])


async def ensure_schedules(client: Client) -> None:
    """Create each, unless there is one: what an operator has made of that stays. A cluster may have none."""
    prune = ScheduleActionStartWorkflow(pruning.TYPE, id=pruning.SCHEDULE, task_queue=pruning.QUEUE)
    look = ScheduleActionStartWorkflow(alerts.TYPE, id=alerts.SCHEDULE, task_queue=alerts.QUEUE)
    shift = ScheduleActionStartWorkflow(shifts.TYPE, id=shifts.SCHEDULE, task_queue=shifts.QUEUE)
    await _ensure(client, prune, DAILY, "prune by hand: continuo prune")
    await _ensure(client, look, EVERY_MINUTE, "look for alerts by hand: continuo alerts check")
    await _ensure(client, shift, EVERY_MINUTE, "shift adaptive splits by hand: continuo ab shift")


async def _ensure(client: Client, action: ScheduleActionStartWorkflow, spec: ScheduleSpec, otherwise: str) -> None:
    schedule = Schedule(action=action, spec=spec, policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP))
    try:
        await client.create_schedule(action.id, schedule)
    except ScheduleAlreadyRunningError:
        pass
    except RPCError as error:
        log.warning(f"there is no schedule, so {otherwise}", error=str(error))
