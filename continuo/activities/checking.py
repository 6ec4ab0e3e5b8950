"""Whether an answer passes the checks of its guard."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.activities.turns import whole
from continuo.authoring.library import Library
from continuo.config.guardrails import Policy
from continuo.errors import InputError, ProviderError
from continuo.guardrails.checks.answer import Checked, checked
from continuo.guardrails.checks.request import known_in
from continuo.guardrails.checks.sensitive import sensitive
from continuo.jobs import Failure, Job, Outcome
from continuo.operations.metrics import Meter
from continuo.patterns import Guard
from continuo.patterns.guard import Hold
from continuo.stores.turns import Turns

T = TypeVar("T")


class Checking:
    """Local activities: what they find is in the history, whatever becomes of rules and recognisers.

    On a thread, since a long answer takes a while. One that cannot be checked fails: nobody has it unchecked.
    """

    def __init__(self, library: Library, turns: Turns, meter: Meter) -> None:
        self._library = library
        self._turns = turns
        self._meter = meter

    @activity.defn(name="check_answer")
    async def check(self, job: Job, outcome: Outcome, redact: bool) -> Checked:
        """What is wrong with what the guarded step of a job answered, and without that where it is to be redacted."""

        def work(guard: Guard, job: Job, policy: Policy) -> Checked:
            recognisers = sensitive(guard.checks, policy.regions, policy.own)
            return checked(guard, recognisers, job, outcome, redact=redact)

        result, guard = await self._done(job, work), job.step
        assert isinstance(guard, Guard)
        flagged = {one.check for one in result.wrong}
        for check in guard.checks.named:
            self._meter.checked(job.context.pattern, check, flagged=check in flagged)
        return result

    @activity.defn(name="hold_answer")
    async def hold(self, job: Job) -> Hold:
        """What the pieces of the answer of a job are checked with as they come."""

        def work(guard: Guard, job: Job, policy: Policy) -> Hold:
            known = known_in(job, sensitive(guard.checks, policy.regions, policy.own))
            return Hold(
                checks=guard.checks,
                regions=policy.regions,
                own=policy.own,
                known=tuple(sorted(known)),
                redact=guard.on_failure == "redact",
            )

        return await self._done(job, work)

    async def _done(self, job: Job, work: Callable[[Guard, Job, Policy], T]) -> T:
        """What `work` makes of the job, with all turns of its request, and of the guardrails that hold for it."""
        guard, context = job.step, job.context
        assert isinstance(guard, Guard)

        def with_policy(job: Job) -> T:
            policy = self._library.guardrails.of(context.tenant, context.pattern, context.key_id)
            return work(guard, job, policy)

        try:
            request = await whole(job.request, self._turns)
            return await asyncio.to_thread(with_policy, job.model_copy(update={"request": request}))
        except (InputError, ProviderError) as error:
            raise _unchecked(str(error)) from error
        except Exception as error:
            # What it says may quote the answer.
            raise _unchecked(f"unexpected {type(error).__name__}") from None


def _unchecked(why: str) -> ApplicationError:
    failure = Failure(type="GuardFailed", message=f"the answer cannot be checked: {why}")
    return ApplicationError(failure.message, failure, type=failure.type, non_retryable=True)
