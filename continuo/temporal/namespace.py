"""The namespace that a client speaks to."""

from datetime import timedelta
from typing import NamedTuple

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client


class Namespace(NamedTuple):
    """The namespace of a client: no two have the same `id`, and a closed run is known for `retention`.

    `plain_calls` says that its server runs activities which no workflow has started.
    """

    id: str
    retention: timedelta
    plain_calls: bool


async def namespace_of(client: Client) -> Namespace:
    request = DescribeNamespaceRequest(namespace=client.namespace)
    description = await client.workflow_service.describe_namespace(request)
    return Namespace(
        description.namespace_info.id or client.namespace,
        description.config.workflow_execution_retention_ttl.ToTimedelta(),
        description.namespace_info.capabilities.standalone_activities,
    )
