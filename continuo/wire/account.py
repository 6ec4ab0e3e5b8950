"""Our own account of a run, the object `continuo` of a response and of a stream's last event."""

from pydantic import JsonValue

from continuo.jobs import Outcome

_FIELDS = (
    "served_by", "model", "provider", "tier", "branch", "variant", "fallback", "confidence", "consensus", "partial",
    "missing", "simulated", "cost_usd", "saved_usd", "orchestration", "latency_ms", "workflow_id", "run_id",
)  # fmt: skip


def account(outcome: Outcome, pattern: str) -> dict[str, JsonValue]:
    """Who answered, how and for how much; a field that does not apply is left out. Costs are in USD."""
    fields = outcome.model_dump(mode="json", include=set(_FIELDS), exclude_defaults=True)
    return {"pattern": pattern, "cache": outcome.served_by == "cache", **fields}
