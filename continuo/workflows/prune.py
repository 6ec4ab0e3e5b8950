"""Dropping what nothing needs any more, by a schedule or by hand: each part by an activity of its own."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, get_args

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from continuo.activities.pruning import Pruning
from continuo.authoring.prepare import validated
from continuo.errors import InputError
from continuo.operations.pruning import TYPE, Part, Pruned, Request
from continuo.temporal.activity_options import HEARTBEAT_TIMEOUT
from continuo.temporal.failures import failure_of

LIMIT = timedelta(hours=6)
"""For one attempt at a part: a store that was never pruned has years to drop, in small portions."""

RETRY = RetryPolicy(initial_interval=timedelta(seconds=10), maximum_attempts=5)

LATER: Mapping[Part, str] = {part: f"{part}-pruned" for part in ("runs", "streams", "audit", "events")}
"""Parts that were added, by the patch of each."""


@workflow.defn(name=TYPE)
class PruneWorkflow:
    @workflow.run
    async def run(self, request: Any = None) -> Pruned:
        """The input is a `Request`, checked here, or nothing. A part that fails leaves the others alone."""
        pruning_request = _checked({} if request is None else request)
        counts, failures = dict[Part, int](), list[str]()
        for part in get_args(Part):
            # Those that had begun in an earlier version end as they would have then.
            if part in LATER and not workflow.patched(LATER[part]):
                continue
            try:
                counts[part] = await workflow.execute_activity_method(
                    Pruning.prune,
                    args=[part, pruning_request.dry_run],
                    summary=part,
                    start_to_close_timeout=LIMIT,
                    heartbeat_timeout=HEARTBEAT_TIMEOUT,
                    retry_policy=RETRY,
                )
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                failures.append(f"{part}: {failure_of(error).message}")
        workflow.set_current_details("\n\n".join([*(f"{part}: {count}" for part, count in counts.items()), *failures]))
        if failures:
            raise ApplicationError("; ".join(failures), type="NotPruned", non_retryable=True)
        return Pruned(dry_run=pruning_request.dry_run, **counts)


def _checked(request: Any) -> Request:
    try:
        if not isinstance(request, dict):
            raise InputError(f"{request!r} is no request")
        return validated(Request, **request)
    except InputError as error:
        raise ApplicationError(f'{error}; write {{"dry_run": true}}, or nothing', type="InputError") from None
