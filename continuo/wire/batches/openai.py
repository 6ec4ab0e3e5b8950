"""OpenAI's batches: what makes one, and what is answered of it."""

import json
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, JsonValue

from continuo.door.request import Line
from continuo.jobs import CANCELLED, Failure, Outcome
from continuo.operations.batches import BatchRow, Item, Origin
from continuo.wire.accepted import Accepted
from continuo.wire.account import account
from continuo.wire.batches.endpoints import Answered, Endpoint, Resolve, accept, answer
from continuo.wire.batches.files import output_id
from continuo.wire.errors import WireError, status_of
from continuo.wire.jobs.body import Webhook
from continuo.wire.openai_errors import error as openai_error
from continuo.wire.parsed import Shape, parsed

MOST = 50_000
"""Requests of a batch."""

DAY = 86400


class Body(Shape):
    """What makes a batch."""

    input_file_id: str
    endpoint: Endpoint
    completion_window: Literal["24h"]
    metadata: dict[str, str] | None = Field(default=None, max_length=16)
    webhook: Webhook | None = None


class Row(Shape):
    """A line of its file."""

    custom_id: str = Field(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")
    method: Literal["POST"]
    url: str
    body: dict[str, JsonValue]


def lines(content: bytes, endpoint: Endpoint, resolve: Resolve) -> Iterator[tuple[Line, Accepted]]:
    """Each line's request. Raises `WireError` with the line of the first that is wrong."""
    count = 0
    for number, text in enumerate(content.split(b"\n"), 1):
        if not text.strip():
            continue
        count += 1
        try:
            if count > MOST:
                raise WireError(400, f"there are more than {MOST:,} requests; send several batches")
            yield _line(number, text, endpoint, resolve)
        except WireError as error:
            raise WireError(error.status, f"line {number}: {error.message}", "input_file_id", error.code) from None


def _line(number: int, text: bytes, endpoint: Endpoint, resolve: Resolve) -> tuple[Line, Accepted]:
    row = parsed(Row, text)
    if row.url != endpoint:
        raise WireError(400, f"url: {row.url[:80]!r} is not the batch's endpoint, {endpoint}", code="invalid_value")
    accepted, echo = accept(endpoint, json.dumps(row.body).encode(), resolve)
    return Line(number, accepted.request.model_copy(update={"id": row.custom_id}), echo), accepted


def response(row: BatchRow, origin: Origin) -> dict[str, Any]:
    tally, created = row.tally, int(row.created.timestamp())
    ended = None if row.ended is None else int(row.ended.timestamp())
    failed = tally.failed + tally.cancelled
    status = _status(row, origin)
    return {
        "id": row.id,
        "object": "batch",
        "endpoint": origin.endpoint,
        "errors": None,
        "input_file_id": origin.file,
        "completion_window": "24h",
        "status": status,
        "output_file_id": output_id(row.id, "output") if ended and tally.done else None,
        "error_file_id": output_id(row.id, "errors") if ended and failed else None,
        "created_at": created,
        "in_progress_at": None if status == "validating" else created,
        "expires_at": created + DAY,
        "finalizing_at": ended,
        "completed_at": ended if status == "completed" else None,
        "failed_at": None,
        "expired_at": None,
        "cancelling_at": int(origin.cancelling.timestamp()) if origin.cancelling else None,
        "cancelled_at": ended if status == "cancelled" else None,
        "request_counts": {"total": tally.items, "completed": tally.done, "failed": failed},
        "metadata": origin.metadata,
    }


def _status(row: BatchRow, origin: Origin) -> str:
    match row.state:
        case "loading":
            return "validating"
        case "running":
            return "cancelling" if origin.cancelling else "in_progress"
        case "done" if not origin.cancelling:
            return "completed"
    return "cancelled"


def result_line(batch: BatchRow, origin: Origin, item: Item, end: Outcome | Failure) -> dict[str, Any]:
    """A line of the output, or of the errors."""
    id = f"{batch.id.replace('batch_', 'batch_req_', 1)}_{item.number}"
    line: dict[str, Any] = {"id": id, "custom_id": item.own, "response": None, "error": None}
    if isinstance(end, Outcome):
        ours = account(end, item.pattern or batch.pattern)
        answered = Answered(end, ours, item.echo, id, int(batch.created.timestamp()))
        body, status = answer(origin.endpoint, answered), 200
    elif end.type == CANCELLED:
        return {
            **line,
            "error": {"code": "batch_cancelled", "message": "the batch was cancelled before this request ended"},
        }
    else:
        failed = status_of(end)
        body, status = openai_error(failed.status, end.message, code=failed.code), failed.status
    return {**line, "response": {"status_code": status, "request_id": id, "body": body}}
