"""Gemini's batches of inline requests: operations whose end holds the responses."""

import json
from collections.abc import AsyncGenerator, Sequence
from urllib.parse import quote

from continuo.providers.batches import PAGES, BatchHttp, BatchProtocol, Result, Seen, Submitted, joined, text_of
from continuo.providers.errors import error_in_batch, reading
from continuo.providers.protocol import Json

_STATUSES = {3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 11: 400, 13: 500, 14: 503, 16: 401}
"""HTTP's status for the code of an error, which is gRPC's where no response carries it."""


class GoogleBatches(BatchProtocol):
    most_items = 2_000
    """Not the provider's limit: all responses come in one body."""
    most_bytes = 20 * 10**6 - 1000
    expires = 2 * 86400.0

    def line(self, id: str, body: bytes) -> bytes:
        return b'{"request": ' + body + f', "metadata": {{"key": "{id}"}}}}'.encode()

    async def submit(self, http: BatchHttp, model: str, lines: Sequence[bytes], label: str) -> str:
        head = f'{{"batch": {{"displayName": {json.dumps(label)}, "inputConfig": {{"requests": {{"requests": ['
        content = joined(lines, head.encode(), b", ", b"]}}}}")
        batch = await http.post(f"/models/{quote(model, safe='')}:batchGenerateContent", content)
        with reading():
            return str(batch["name"])

    async def find(self, http: BatchHttp, batch: Submitted) -> str | None:
        after = ""
        for _ in range(PAGES):
            page = await http.get(f"/batches?pageSize=100{after}")
            with reading():
                for one in page.get("operations") or ():
                    if (one.get("metadata") or {}).get("displayName") == batch.label:
                        return str(one["name"])
                if not page.get("nextPageToken"):
                    return None
                after = f"&pageToken={quote(page['nextPageToken'], safe='')}"
        return None

    async def look(self, http: BatchHttp, id: str) -> Seen:
        batch = await http.get(_path(id))
        with reading():
            state = str((batch.get("metadata") or {}).get("state") or "").rpartition("_STATE_")[2]
            if not batch.get("done"):
                return Seen("running", state)
            return Seen("failed", text_of([batch.get("error")])) if state == "FAILED" else Seen("ended", state)

    async def results(self, http: BatchHttp, id: str) -> AsyncGenerator[Result, None]:
        batch = await http.get(_path(id))
        with reading():
            inlined = (batch.get("response") or {}).get("inlinedResponses") or {}
            results = [_result(one) for one in inlined.get("inlinedResponses") or ()]
        for result in results:
            yield result

    async def cancel(self, http: BatchHttp, id: str) -> None:
        await http.post(f"{_path(id)}:cancel")


def _path(id: str) -> str:
    """The id is a path of its own, such as `batches/abc`."""
    return f"/{quote(id)}"


def _result(one: Json) -> Result:
    id = str(one["metadata"]["key"])
    if "response" in one:
        return Result(id, one["response"])
    error = one["error"]
    return Result(id, error=error_in_batch({"error": error}, _STATUSES.get(error.get("code"), 500)))
