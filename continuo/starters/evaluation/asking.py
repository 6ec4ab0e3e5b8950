"""Many questions to one pattern as a batch; the same ones to the same pattern are the same batch, and paid once."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from continuo.door.batches import Batches, Line
from continuo.jobs import Failure, Outcome
from continuo.operations.batches import BatchRow, Terms
from continuo.starters.batches import followed
from continuo.stores.batches import BatchStore

PAGE = 200


@dataclass
class Purse:
    """What an evaluation may cost, in USD, or None without a limit; and what it has."""

    budget: float | None
    spent: float = 0.0

    @property
    def left(self) -> float | None:
        return None if self.budget is None else max(0.0, self.budget - self.spent)


@dataclass(frozen=True)
class Asking:
    """Where the batches are, whose ids begin with `prefix`."""

    batches: Batches
    store: BatchStore
    prefix: str
    purse: Purse

    async def ends(self, terms: Terms, source: str, lines: Sequence[Line]) -> tuple[BatchRow, list[Outcome | Failure]]:
        """The batch of these questions, followed to its end, and how each has ended, in their order.

        Raises `InputError` for a question that cannot be asked, and `Incomplete` where not all have ended.
        """
        digest = _digest(terms, lines)
        id, given = f"{self.prefix}-{digest[:12]}", terms.model_copy(update={"budget_usd": self.purse.left})
        batch = await self.batches.submit(id, digest, given, source, lines)
        batch = await followed(self.batches, self.store, batch)
        self.purse.spent += batch.tally.cost_usd
        if batch.state != "done":
            raise Incomplete(batch)
        return batch, await self._ends(batch)

    async def _ends(self, batch: BatchRow) -> list[Outcome | Failure]:
        private, ends, after = await self.batches.restoring(batch), list[Outcome | Failure](), 0
        while rows := await self.store.results(batch.tenant, batch.id, after, PAGE):
            for row in rows:
                kind = Outcome if row["state"] == "done" else Failure
                ends.append(private.restored_model(kind.model_validate_json(row["result"])))
            after = rows[-1]["number"]
        return ends


class Incomplete(Exception):
    """A batch of an evaluation has stopped before all its items had ended."""

    def __init__(self, batch: BatchRow) -> None:
        super().__init__(f"batch {batch.id} is {batch.state}")
        self.batch = batch


def _digest(terms: Terms, lines: Sequence[Line]) -> str:
    """What the answers depend on: other questions, or another pattern, are another batch."""
    hashed = sha256(Terms(step=terms.step, context=terms.context).model_dump_json().encode())
    for line in lines:
        hashed.update(b"\0" + line.request.model_dump_json().encode())
    return hashed.hexdigest()
