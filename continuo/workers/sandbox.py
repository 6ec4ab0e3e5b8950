"""What passes through the workflow sandbox: imported once for the process, not anew for every run.

Each of these is either deterministic or used in workflow code only where it is; together they halve the
processor time of a workflow. Workers, tests and the replayer use this one list.
"""

from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from continuo.extensions import inside, packages
from continuo.workers.versioning import Unversioned

PASSTHROUGH = (
    # Frozen values and pure functions; of the activities only signatures are used, to schedule them by type.
    *(room for package in packages() for room in inside(package) if room != f"{package}.workflows"),
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "httpx",  # imported by activities, never called from a workflow
    "opentelemetry",  # spans of workflows are made by the interceptor, which knows of replays
    "structlog",
)


def runner(*, sandbox: bool, versioned: bool = False) -> WorkflowRunner:
    """How workflows are run: sandboxed, which catches what is not deterministic, or faster without; `versioned` by a
    worker that has a build."""
    kind = UnsandboxedWorkflowRunner if versioned else Unversioned
    if not sandbox:
        return kind()
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSTHROUGH)
    return SandboxedWorkflowRunner(restrictions, runner_class=kind)
