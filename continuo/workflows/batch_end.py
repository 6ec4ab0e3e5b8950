"""The end of a batch: kept, and told to whom its caller named."""

from continuo.activities.batches import Batches
from continuo.operations.batches import BatchState, Position, Terms
from continuo.operations.webhooks import How
from continuo.workflows.patience import patiently
from continuo.workflows.webhook import tell


async def closed(batch: Position, terms: Terms, state: BatchState, *, stopped: bool) -> None:
    """Keep that it has ended so, and then tell that to its webhook: whoever is told can see it."""
    await patiently(Batches.close, batch, state)
    if terms.origin is not None and terms.origin.webhook is not None:
        how: How = "completed" if state == "done" and not stopped else "cancelled"
        await tell(terms.origin.webhook, batch.id, batch.tenant, how)
