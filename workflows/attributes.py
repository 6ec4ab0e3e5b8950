"""The search attributes by which runs are found in the UI, and how each is filled."""

from typing import Any

from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)

from continuo.jobs import Context, Outcome

TENANT = SearchAttributeKey.for_keyword("ContinuoTenant")
PATTERN = SearchAttributeKey.for_keyword("ContinuoPattern")
PRIORITY = SearchAttributeKey.for_keyword("ContinuoPriority")
TIER = SearchAttributeKey.for_int("ContinuoTier")
COST = SearchAttributeKey.for_float("ContinuoCostUsd")

ALL = (TENANT, PATTERN, PRIORITY, TIER, COST)


def started(context: Context) -> TypedSearchAttributes:
    """What is known when a job starts."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(TENANT, context.tenant),
            SearchAttributePair(PATTERN, context.pattern),
            SearchAttributePair(PRIORITY, context.priority),
        ]
    )


def finished(outcome: Outcome) -> list[SearchAttributeUpdate[Any]]:
    """What is known when it ends; an unknown cost stays unset."""
    updates: list[SearchAttributeUpdate[Any]] = []
    if outcome.tier is not None:
        updates.append(TIER.value_set(outcome.tier))
    return [*updates, *spent(outcome.cost_usd)]


def spent(cost: float | None) -> list[SearchAttributeUpdate[Any]]:
    """What a run has cost in USD, if that is known."""
    return [] if cost is None else [COST.value_set(cost)]
