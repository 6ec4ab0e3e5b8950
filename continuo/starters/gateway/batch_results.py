"""What the items of a batch came to, in the shapes of their API, read while they are sent."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

from continuo.guardrails.restoring import Restoring
from continuo.jobs import Failure, Outcome
from continuo.operations.batches import BatchRow, Item, Origin
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.state import Gateway
from continuo.stores.files import StoredFile
from continuo.wire.batches import anthropic, openai
from continuo.wire.batches.files import DAYS, output_of

PAGE = 50
"""Items read at once."""


@dataclass(frozen=True)
class OpenAIResults:
    """The answers of a batch, or its errors, as a file of lines."""

    gateway: Gateway
    batch: BatchRow
    origin: Origin
    which: Literal["output", "errors"]

    async def lines(self) -> AsyncIterator[bytes]:
        private = await self.gateway.batches.restoring(self.batch)
        async for item, end in _ends(self.gateway, self.batch):
            if end is not None and isinstance(end, Outcome) == (self.which == "output"):
                yield _written(openai.result_line(self.batch, self.origin, item, end), private)

    async def file(self, id: str) -> StoredFile:
        """What is known of it; its length is counted."""
        size = 0
        async for line in self.lines():
            size += len(line)
        created = (self.batch.ended or self.batch.created).timestamp()
        expires = created + DAYS * 86400.0
        return StoredFile(id, self.batch.tenant, created, expires, f"{self.batch.id}_{self.which}.jsonl", size)


async def output(gateway: Gateway, key: ApiKey, id: str) -> OpenAIResults | None:
    """The results that this file has; None where it is another file, or there are none for this key."""
    named = output_of(id)
    batch = await gateway.batch_store.get(key.tenant, named[0]) if named else None
    if named is None or batch is None or batch.ended is None:
        return None
    origin = (await gateway.batch_store.terms(batch.tenant, batch.id)).origin
    return OpenAIResults(gateway, batch, origin, named[1]) if origin and origin.api == "openai" else None


async def anthropic_lines(gateway: Gateway, batch: BatchRow) -> AsyncIterator[bytes]:
    """A line for each item of a batch that has ended."""
    private = await gateway.batches.restoring(batch)
    async for item, end in _ends(gateway, batch, waiting=True):
        yield _written(anthropic.result_line(batch, item, end), private)


async def _ends(
    gateway: Gateway, batch: BatchRow, *, waiting: bool = False
) -> AsyncIterator[tuple[Item, Outcome | Failure | None]]:
    """Each item with what it came to; with `waiting` also those that were not begun, which came to nothing."""
    results, after = gateway.batch_store.results, 0
    while page := await results(batch.tenant, batch.id, after, PAGE, inputs=True, waiting=waiting):
        for row in page:
            kind: type[Outcome] | type[Failure] = Outcome if row["state"] == "done" else Failure
            end = None if row["state"] == "waiting" else kind.model_validate_json(row["result"])
            yield Item.model_validate_json(row["input"]), end
        after = page[-1]["number"]


def _written(line: dict[str, Any], private: Restoring) -> bytes:
    return json.dumps(private.restored_wire(line), ensure_ascii=False).encode() + b"\n"
