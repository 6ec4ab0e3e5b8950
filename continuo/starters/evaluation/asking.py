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

REFUSED = Failure(type="Refused", message="the guardrails or a rule refuse what is asked about it")
"""How a question has ended that was not asked. Which of them, and why, is in the audit."""


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

    async def ends(
        self, pattern: str, source: str, lines: Sequence[Line], *, without_refused: bool = False
    ) -> list[Outcome | Failure]:
        """How each question has ended, in their order; the batch is the last of those that have `ended`.

        Raises `InputError` for a question that cannot be asked, and `Incomplete` where not all have ended. One that
        guardrails or a rule refuse is not asked `without_refused`, and has failed.
        """
        left = None if self.budget is None else max(0.0, self.budget - self.spent)
        terms = self.terms[pattern].model_copy(update={"budget_usd": left})
        digest = _digest(terms, lines)
        id = f"{self.prefix}-{digest[:12]}"
        batch = await self.batches.submit(id, digest, terms, source, lines, without_refused=without_refused)
        batch = await followed(self.batches, self.store, batch)
        if batch.state != "done":
            raise Incomplete(batch)
        self.ended.append(batch)
        ends = await self._ends(batch)
        return [ends.get(number, REFUSED) for number in range(1, len(lines) + 1)]

    async def _ends(self, batch: BatchRow) -> dict[int, Outcome | Failure]:
        """By the numbers of the items."""
        private, ends, after = await self.batches.restoring(batch), dict[int, Outcome | Failure](), 0
        while rows := await self.store.results(batch.tenant, batch.id, after, PAGE):
            for row in rows:
                kind = Outcome if row["state"] == "done" else Failure
                ends[row["number"]] = private.restored_model(kind.model_validate_json(row["result"]))
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
