"""Who works on the queues of a cluster."""

from datetime import UTC, datetime, timedelta
from typing import get_args

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from continuo.jobs import Priority

POLL = timedelta(seconds=70)
"""A worker that lives has asked for work within this time: the server answers a poll after 60 s at most."""


async def pollers(client: Client, *queues: Priority) -> list[str]:
    """The identities of the workers (pid and host) that poll one of the queues, by default of all, each once."""
    identities = set[str]()
    for priority in queues or get_args(Priority):
        request = DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=priority),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        described = await client.workflow_service.describe_task_queue(request)
        since = datetime.now(UTC) - POLL
        identities |= {one.identity for one in described.pollers if one.last_access_time.ToDatetime(UTC) > since}
    return sorted(identities)
