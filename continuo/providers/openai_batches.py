"""OpenAI's batches: a file of requests goes in, one of answers and one of errors come out."""

from collections.abc import AsyncGenerator, Sequence
from urllib.parse import quote
from uuid import uuid4

from continuo.providers.batches import PAGES, BatchHttp, BatchProtocol, Result, Seen, Submitted, joined, text_of
from continuo.providers.errors import error_in_batch, invalid_response, reading
from continuo.providers.protocol import Json

_LABEL = "continuo"

_UNANSWERED = {"batch_expired", "batch_cancelled"}
"""The codes of requests that were not executed, and cost nothing."""

_FULL = "token_limit_exceeded"
"""The code of a batch that was not taken since others are waiting: a later one may be."""


class OpenAIBatches(BatchProtocol):
    """Those of one endpoint, such as `/v1/embeddings`: all requests of a batch are for the same."""

    most_items = 50_000
    most_bytes = 200 * 10**6
    expires = 86400.0

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def line(self, id: str, body: bytes) -> bytes:
        head = f'{{"custom_id": "{id}", "method": "POST", "url": "{self._endpoint}", "body": '
        return head.encode() + body + b"}\n"

    async def submit(self, http: BatchHttp, model: str, lines: Sequence[bytes], label: str) -> str:
        boundary = uuid4().hex
        form = f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        form += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{label}.jsonl"\r\n'
        form += "Content-Type: application/jsonl\r\n\r\n"
        whole = joined(lines, form.encode(), b"", f"\r\n--{boundary}--\r\n".encode())
        file = await http.post("/files", whole, f"multipart/form-data; boundary={boundary}")
        with reading():
            given = f'{{"input_file_id": "{file["id"]}", "endpoint": "{self._endpoint}", "completion_window": "24h", '
        given += f'"metadata": {{"{_LABEL}": "{label}"}}}}'
        batch = await http.post("/batches", [given.encode()])
        with reading():
            return str(batch["id"])

    async def find(self, http: BatchHttp, batch: Submitted) -> str | None:
        after = ""
        for _ in range(PAGES):
            page = await http.get(f"/batches?limit=100{after}")
            with reading():
                for one in page["data"]:
                    if (one.get("metadata") or {}).get(_LABEL) == batch.label:
                        return str(one["id"])
                if not page.get("has_more") or page["data"][-1]["created_at"] < batch.since:
                    return None
                after = f"&after={quote(page['data'][-1]['id'], safe='')}"
        return None

    async def look(self, http: BatchHttp, id: str) -> Seen:
        batch = await self._batch(http, id)
        with reading():
            match batch["status"]:
                case "completed" | "expired" | "cancelled":
                    return Seen("ended", batch["status"])
                case "failed":
                    errors = (batch.get("errors") or {}).get("data") or []
                    full = any(one.get("code") == _FULL for one in errors)
                    return Seen("ended" if full else "failed", text_of(errors))
            return Seen("running", str(batch["status"]))

    async def results(self, http: BatchHttp, id: str) -> AsyncGenerator[Result, None]:
        batch = await self._batch(http, id)
        for file in filter(None, (batch.get("output_file_id"), batch.get("error_file_id"))):
            async for line in http.lines(f"/files/{quote(str(file), safe='')}/content"):
                with reading():
                    result = _result(line)
                if result is not None:
                    yield result

    async def cancel(self, http: BatchHttp, id: str) -> None:
        await http.post(f"/batches/{quote(id, safe='')}/cancel")

    async def _batch(self, http: BatchHttp, id: str) -> Json:
        return await http.get(f"/batches/{quote(id, safe='')}")


def _result(line: Json) -> Result | None:
    id, response = str(line["custom_id"]), line.get("response")
    if response is not None:
        body, status = response["body"], response["status_code"]
        return Result(id, body) if status == 200 else Result(id, error=error_in_batch(body, status))
    if (error := line.get("error")) is None:
        return Result(id, error=invalid_response("the batch has neither an answer nor an error for the request"))
    return None if error.get("code") in _UNANSWERED else Result(id, error=error_in_batch({"error": error}))
