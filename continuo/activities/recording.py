"""The activity that records what a workflow has decided."""

from pydantic import JsonValue
from temporalio import activity


@activity.defn(name="record_decision")
async def record_decision(decision: JsonValue) -> JsonValue:
    """The decision as it is: a local activity's result is in the history, which outlives every release."""
    return decision
