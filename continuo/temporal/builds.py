"""The builds of pools, as Temporal's worker versioning has them: on the code of which a run begins, and ends."""

from typing import Literal

from temporalio.api.enums.v1 import WorkerDeploymentVersionStatus
from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

DEPLOYMENT = "continuo"
"""What Temporal calls all pools of a namespace together."""

Standing = Literal["current", "ramping", "draining", "drained", "waiting"]
"""Runs begin on the current build, a part of them on the ramping one. One that drains has runs that began on it; none
has one that is drained, or that waits to be made the current one."""

_STANDINGS: dict[WorkerDeploymentVersionStatus.ValueType, Standing] = {
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT: "current",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING: "ramping",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING: "draining",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED: "drained",
}


async def standings(client: Client) -> dict[str, Standing]:
    """How each build stands that the server knows of, the newest first: none where no pool ever had one."""
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
    try:
        described = await client.workflow_service.describe_worker_deployment(request)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return {}
    versions = described.worker_deployment_info.version_summaries
    newest = sorted(versions, key=lambda one: one.create_time.ToDatetime(), reverse=True)
    return {one.deployment_version.build_id: _STANDINGS.get(one.status, "waiting") for one in newest}
