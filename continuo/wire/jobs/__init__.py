"""Our own jobs: a run whose caller does not wait."""

from continuo.wire.jobs.body import Body
from continuo.wire.jobs.request import request
from continuo.wire.jobs.response import response

__all__ = ["Body", "request", "response"]
