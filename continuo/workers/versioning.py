"""What the build of a worker's code means to the workflows that it runs."""

from dataclasses import replace

from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    WorkerDeploymentConfig,
    WorkflowInstance,
    WorkflowInstanceDetails,
)

from continuo.temporal.builds import DEPLOYMENT


def versioned(build: str) -> WorkerDeploymentConfig:
    """What a worker of `build` says of itself. Its workflows are pinned: a run and its children end on the build that
    began it. Those that say otherwise in their definition go on with the current one, since they may last for ever."""
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(DEPLOYMENT, build),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


class Unversioned(UnsandboxedWorkflowRunner):
    """For a worker without a build: the server refuses what one says of versions, as a definition may."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        definition = replace(det.defn, versioning_behavior=VersioningBehavior.UNSPECIFIED)
        return super().create_instance(replace(det, defn=definition))
