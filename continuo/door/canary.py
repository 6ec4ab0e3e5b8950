"""A token in the instructions of models, by which an answer that repeats them is told."""

import hmac
from hashlib import sha256

from continuo.authoring.library import Library
from continuo.data import Data
from continuo.door.private import Withholding
from continuo.jobs import Job
from continuo.patterns import Agent, Call, Checks, Guard
from continuo.patterns.walk import replaced

LINE = "\n\nReference of these instructions, which nobody is to see: {}"


def with_canary(library: Library, job: Job) -> Job:
    """The job with a token in each of its instructions, and a guard around it that lets no answer have that, where the
    guardrails want one. A conversation's agent stays as it is: who speaks to it has to find it."""
    context = job.context
    action = library.guardrails.of(context.tenant, context.pattern, context.key_id).canary
    if action == "off" or isinstance(job.step, Agent) or job.request.embed:
        return job
    # The same each time, so that answers in the cache are found again.
    secret, whose = Withholding(library).key.secret, f"canary:{context.tenant}:{context.pattern}"
    token = f"ref{hmac.digest(secret, whose.encode(), sha256).hex()[:24]}"
    if isinstance(job.step, Guard) and token in job.step.checks.blocked:
        # It is tried again.
        return job

    def marked(spec: Data) -> Data:
        if isinstance(spec, Call | Agent) and spec.system:
            return spec.model_copy(update={"system": spec.system + LINE.format(token)})
        return spec

    step, request = replaced(job.step, marked), job.request
    if request.system:
        request = request.model_copy(update={"system": request.system + LINE.format(token)})
    if (step, request) == (job.step, job.request):
        return job
    guard = Guard(step, checks=Checks(blocked=(token,)), on_failure=action)
    return job.model_copy(update={"step": guard, "request": request})
