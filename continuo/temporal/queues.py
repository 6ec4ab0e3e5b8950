"""Who works on the queues of a cluster, and what waits there."""

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, get_args

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client

from continuo.jobs import Priority

POLL = timedelta(seconds=70)
"""A worker that lives has asked for work within this time: the server answers a poll after 60 s at most."""

Kind = Literal["workflow", "activity"]
"""Of the tasks of a queue."""

_TYPES = {
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


class Backlog(NamedTuple):
    """About how many tasks wait in a queue, and for how long, in seconds, the oldest of them has."""

    priority: Priority
    kind: Kind
    tasks: int
    age: float


async def pollers(client: Client, *queues: Priority) -> list[str]:
    """The identities of the workers (pid and host) that poll one of the queues, by default of all, each once."""
    identities = set[str]()
    for priority in queues or get_args(Priority):
        described = await _described(client, priority, "workflow")
        since = datetime.now(UTC) - POLL
        identities |= {one.identity for one in described.pollers if one.last_access_time.ToDatetime(UTC) > since}
    return sorted(identities)


async def backlogs(client: Client) -> list[Backlog]:
    """What waits in each queue."""
    known = []
    for priority in get_args(Priority):
        for kind in get_args(Kind):
            stats = (await _described(client, priority, kind)).stats
            age = stats.approximate_backlog_age.ToTimedelta().total_seconds()
            known.append(Backlog(priority, kind, stats.approximate_backlog_count, age))
    return known


async def _described(client: Client, priority: Priority, kind: Kind) -> DescribeTaskQueueResponse:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=priority),
        task_queue_type=_TYPES[kind],
        report_stats=True,
    )
    return await client.workflow_service.describe_task_queue(request)
