"""Anthropic's message batches: all requests in one body, results as lines of JSON."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from urllib.parse import quote

from continuo.providers.batches import PAGES, BatchHttp, BatchProtocol, Result, Seen, Submitted, joined
from continuo.providers.errors import error_in_batch, reading
from continuo.providers.protocol import Json


class AnthropicBatches(BatchProtocol):
    most_items = 100_000
    most_bytes = 256 * 10**6 - 1000
    expires = 86400.0

    def line(self, id: str, body: bytes) -> bytes:
        return f'{{"custom_id": "{id}", "params": '.encode() + body + b"}"

    async def submit(self, http: BatchHttp, model: str, lines: Sequence[bytes], label: str) -> str:
        batch = await http.post("/messages/batches", joined(lines, b'{"requests": [', b", ", b"]}"))
        with reading():
            return str(batch["id"])

    async def find(self, http: BatchHttp, batch: Submitted) -> str | None:
        """There is nothing to be noted with a batch: it is one that came then and has as many requests. What it
        answers is known by their ids; where it was another's, ours are sent again."""
        after = ""
        for _ in range(PAGES):
            page = await http.get(f"/messages/batches?limit=100{after}")
            with reading():
                for one in page["data"]:
                    if datetime.fromisoformat(one["created_at"]).timestamp() < batch.since:
                        return None
                    if one["id"] not in batch.known and sum(one["request_counts"].values()) == batch.items:
                        return str(one["id"])
                if not page.get("has_more"):
                    return None
                after = f"&after_id={quote(page['last_id'], safe='')}"
        return None

    async def look(self, http: BatchHttp, id: str) -> Seen:
        batch = await http.get(_path(id))
        with reading():
            status = str(batch["processing_status"])
            return Seen("ended" if status == "ended" else "running", status)

    async def results(self, http: BatchHttp, id: str) -> AsyncGenerator[Result, None]:
        # Not at the address that the batch names: the key goes to the catalog's alone.
        async for line in http.lines(f"{_path(id)}/results"):
            with reading():
                result = _result(line)
            if result is not None:
                yield result

    async def cancel(self, http: BatchHttp, id: str) -> None:
        await http.post(f"{_path(id)}/cancel")


def _path(id: str) -> str:
    return f"/messages/batches/{quote(id, safe='')}"


def _result(line: Json) -> Result | None:
    id, result = str(line["custom_id"]), line["result"]
    match result["type"]:
        case "succeeded":
            return Result(id, result["message"])
        case "errored":
            return Result(id, error=error_in_batch(result["error"]))
    return None
