"""The activity that records what a workflow has decided."""

from pydantic import JsonValue
from temporalio import activity


class Recording:
    @activity.defn(name="record_decision")
    async def record_decision(self, decision: JsonValue) -> JsonValue:
        """The decision as it is: a local activity's result is in the history, which outlives every release."""
        return decision
