"""The identity of a call: the same on every attempt, so that it is answered and paid once."""

from temporalio import activity


def identity() -> str:
    """Workflow run and activity id. Also sent as `Idempotency-Key`."""
    info = activity.info()
    return f"{info.workflow_run_id}/{info.activity_id}"
