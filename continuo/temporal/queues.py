"""Who works on the queues of a cluster, and what waits there."""

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, get_args

from temporalio.api.enums.v1 import TaskQueueType, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
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


class Poller(NamedTuple):
    """A worker by its identity (pid and host) and its build, empty for none; whether what begins on its queue may come
    to it."""

    identity: str
    build: str
    takes: bool


async def pollers(client: Client, priority: Priority) -> list[Poller]:
    """The workers that poll a queue."""
    described = await _described(client, priority, "workflow")
    since, routing = datetime.now(UTC) - POLL, described.versioning_info
    current, ramping = routing.current_deployment_version.build_id, routing.ramping_deployment_version.build_id
    taking = {current, ramping or current}
    return [
        Poller(one.identity, build := _build(one), build in taking)
        for one in described.pollers
        if one.last_access_time.ToDatetime(UTC) > since
    ]


async def takers(client: Client, *queues: Priority) -> list[str]:
    """The identities of the workers that take what begins on one of the queues, by default of all, each once."""
    known = [await pollers(client, priority) for priority in queues or get_args(Priority)]
    return sorted({one.identity for queue in known for one in queue if one.takes})


async def backlogs(client: Client) -> list[Backlog]:
    """What waits in each queue."""
    known = []
    for priority in get_args(Priority):
        for kind in get_args(Kind):
            stats = (await _described(client, priority, kind)).stats
            age = stats.approximate_backlog_age.ToTimedelta().total_seconds()
            known.append(Backlog(priority, kind, stats.approximate_backlog_count, age))
    return known


def _build(one: PollerInfo) -> str:
    options = one.deployment_options
    versioned = options.worker_versioning_mode == WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
    return options.build_id if versioned else ""


async def _described(client: Client, priority: Priority, kind: Kind) -> DescribeTaskQueueResponse:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=priority),
        task_queue_type=_TYPES[kind],
        report_stats=True,
    )
    return await client.workflow_service.describe_task_queue(request)
