"""Many questions to one pattern as a batch; the same ones to the same pattern are the same batch, and paid once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from continuo.authoring.inputs import refused_tuning
from continuo.config.catalog import Catalog
from continuo.door.request import Line, Request
from continuo.jobs import Failure, Outcome
from continuo.messages import ModelRequest
from continuo.operations.batches import BatchRow, Terms
from continuo.parameters import Parameters
from continuo.starters.batches import followed
from continuo.starters.console.terminal import err
from continuo.stores.batches import BatchStore

if TYPE_CHECKING:
    from continuo.door.batches import Batches

PAGE = 200


class Incomplete(Exception):
    """A batch of an evaluation has stopped before all its items had ended."""

    def __init__(self, batch: BatchRow) -> None:
        super().__init__(f"batch {batch.id} is {batch.state}")
        self.batch = batch


@dataclass
class Asking:
    """Batches whose ids begin with `prefix`, of patterns of which `terms` says how each is run, by the `catalog`.

    Together they may cost `budget` USD; `ended` are those that have.
    """

    batches: "Batches"
    store: BatchStore
    prefix: str
    terms: Mapping[str, Terms]
    catalog: Catalog
    budget: float | None
    ended: list[BatchRow] = field(default_factory=list)

    @property
    def spent(self) -> float:
        return sum(batch.tally.cost_usd for batch in self.ended)

    def request(self, pattern: str, request: ModelRequest) -> Request:
        """What is asked of the pattern, without the tuning that a model of it refuses."""
        taken = request.without(refused_tuning(self.terms[pattern].step, request, self.catalog))
        parameters = Parameters(**{name: getattr(taken, name) for name in Parameters.model_fields})
        return Request(pattern=pattern, messages=taken.messages, system=taken.system, parameters=parameters)

    async def ends(self, pattern: str, source: str, lines: Sequence[Line]) -> list[Outcome | Failure]:
        """How each question has ended, in their order; the batch is the last of those that have `ended`.

        Raises `InputError` for a question that cannot be asked, and `Incomplete` where not all have ended.
        """
        left = None if self.budget is None else max(0.0, self.budget - self.spent)
        terms = self.terms[pattern].model_copy(update={"budget_usd": left})
        digest = _digest(terms, lines)
        batch = await self.batches.submit(f"{self.prefix}-{digest[:12]}", digest, terms, source, lines)
        batch = await followed(self.batches, self.store, batch)
        if batch.state != "done":
            raise Incomplete(batch)
        self.ended.append(batch)
        return await self._ends(batch)

    async def _ends(self, batch: BatchRow) -> list[Outcome | Failure]:
        private, ends, after = await self.batches.restoring(batch), list[Outcome | Failure](), 0
        while rows := await self.store.results(batch.tenant, batch.id, after, PAGE):
            for row in rows:
                kind = Outcome if row["state"] == "done" else Failure
                ends.append(private.restored_model(kind.model_validate_json(row["result"])))
            after = rows[-1]["number"]
        return ends


def _digest(terms: Terms, lines: Sequence[Line]) -> str:
    """What the answers depend on: other questions, or another pattern, are another batch."""
    hashed = sha256(Terms(step=terms.step, context=terms.context).model_dump_json().encode())
    for line in lines:
        hashed.update(b"\0" + line.request.model_dump_json().encode())
    return hashed.hexdigest()


def incomplete(stopped: Incomplete) -> int:
    """Tell why a batch has stopped, and how it goes on; the exit code."""
    batch = stopped.batch
    tally, more = batch.tally, "the same command goes on"
    if batch.state == "spent":
        more += ", with --budget USD for more"
        err.print(f"the budget is spent, with {tally.waiting:,} items of batch {batch.id} not begun; {more}")
    else:
        err.print(f"batch {batch.id} was stopped, with {tally.ended:,} of {tally.items:,} items ended; {more}")
    return 1
