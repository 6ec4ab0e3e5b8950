"""The identity of a call: the same on every attempt, so that it is answered and paid once."""

from hashlib import sha256

from temporalio import activity

from continuo.jobs import Job
from continuo.operations.events import whole_run


def run_id() -> str:
    """The id of the run that the activity belongs to: its workflow's, or its own where no workflow started it."""
    info = activity.info()
    id = info.workflow_run_id or info.activity_run_id
    assert id is not None
    return id


def whole_run_id(path: str) -> str:
    """The id that the whole run has which the activity is of, given the path of its step."""
    info = activity.info()
    return whole_run(info.workflow_id or info.activity_id, path)


def identity() -> str:
    """Run and activity id. Also sent as `Idempotency-Key`.

    A call that is a run of its own is alone in it; the id of that has what its caller wrote, such as a `#`.
    """
    info = activity.info()
    return f"{run_id()}/{info.activity_id if info.workflow_id else 'call'}"


def question(job: Job) -> str:
    """The digest of what a call is asked, where in its run, and of the id that the run was started under: the same when
    that is begun again."""
    info = activity.info()
    parts = (info.workflow_id or info.activity_id, job.path, job.step.model_dump_json(), job.request.model_dump_json())
    return sha256("\n".join(parts).encode()).hexdigest()
