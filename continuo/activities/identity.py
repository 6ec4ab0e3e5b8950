"""The identity of a call: the same on every attempt, so that it is answered and paid once."""

from temporalio import activity

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
