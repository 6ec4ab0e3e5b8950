"""How long one task of a workflow may take."""

from datetime import timedelta

from continuo.patterns import Step
from continuo.patterns.walk import calls_locally


def task_timeout(step: Step) -> timedelta | None:
    """For a run with local calls: after four fifths of it a cancellation or a timer reaches them, after the whole of it
    another worker does what a dead one did. None is the server's own, of 10 s."""
    return timedelta(seconds=5) if calls_locally(step) else None
