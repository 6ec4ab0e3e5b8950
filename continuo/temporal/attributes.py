"""The search attributes by which runs are found in the UI, and how each is filled."""

from typing import Any

from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    SearchAttributeValueType,
    TypedSearchAttributes,
)

from continuo.decided import Decision
from continuo.jobs import Context, Job, Outcome
from continuo.operations.audit import asked_of

TENANT = SearchAttributeKey.for_keyword("ContinuoTenant")
PATTERN = SearchAttributeKey.for_keyword("ContinuoPattern")
PRIORITY = SearchAttributeKey.for_keyword("ContinuoPriority")
TIER = SearchAttributeKey.for_int("ContinuoTier")
BRANCH = SearchAttributeKey.for_keyword("ContinuoBranch")
VARIANT = SearchAttributeKey.for_keyword("ContinuoVariant")
COST = SearchAttributeKey.for_float("ContinuoCostUsd")

ALL = (TENANT, PATTERN, PRIORITY, TIER, BRANCH, VARIANT, COST)


def started(context: Context) -> TypedSearchAttributes:
    """What is known when a job starts."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(TENANT, context.tenant),
            SearchAttributePair(PATTERN, context.pattern),
            SearchAttributePair(PRIORITY, context.priority),
        ]
    )


def memo(job: Job, decisions: tuple[Decision, ...] = ()) -> dict[str, object]:
    """What is kept beside a run, to be listed with it: `decisions` are those of the door's stages, else the job's."""
    context = job.context
    decided = decisions or tuple(map(Decision.model_validate, job.decisions))
    known: dict[str, object] = {"asked": asked_of(job, decided).model_dump(mode="json")}
    if context.user:
        known["user"] = context.user
    if background := context.background:
        known |= {"job": background.id, "metadata": background.metadata}
        if background.webhook is not None:
            known["webhook"] = background.webhook
    return known


def finished(outcome: Outcome) -> list[SearchAttributeUpdate[Any]]:
    """What is known when it ends; an unknown cost stays unset."""
    decided = (*_known(TIER, outcome.tier), *_known(BRANCH, outcome.branch), *_known(VARIANT, outcome.variant))
    return [*decided, *spent(outcome.cost_usd)]


def spent(cost: float | None) -> list[SearchAttributeUpdate[Any]]:
    """What a run has cost in USD, if that is known."""
    return _known(COST, cost)


def _known(
    key: SearchAttributeKey[SearchAttributeValueType], value: SearchAttributeValueType | None
) -> list[SearchAttributeUpdate[Any]]:
    return [] if value is None else [key.value_set(value)]
