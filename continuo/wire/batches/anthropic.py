"""Anthropic's message batches."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, JsonValue

from continuo.door.request import Line
from continuo.jobs import CANCELLED, Failure, Outcome
from continuo.operations.batches import BatchRow, Item, Origin
from continuo.wire import anthropic
from continuo.wire.accepted import Accepted
from continuo.wire.account import account
from continuo.wire.anthropic.body import Version
from continuo.wire.errors import WireError, status_of
from continuo.wire.jobs.body import Webhook
from continuo.wire.parsed import Shape, parsed

MOST = 100_000
"""Requests of a batch."""


class BatchRequest(Shape):
    custom_id: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    params: dict[str, JsonValue]


class Body(Shape):
    requests: list[BatchRequest] = Field(min_length=1, max_length=MOST)
    webhook: Webhook | None = None


def lines(
    body: Body, resolve: Callable[[str], str], version: Version, betas: Sequence[str]
) -> Iterator[tuple[Line, Accepted]]:
    """Each request, as a line. Raises `WireError` that names the first which is wrong."""
    for number, one in enumerate(body.requests):
        try:
            params = parsed(anthropic.Body, json.dumps(one.params).encode())
            if params.stream:
                raise WireError(400, "stream: it is not taken in a batch; leave it out", code="unsupported_parameter")
            accepted = anthropic.request(params, resolve=resolve, version=version, betas=betas)
        except WireError as error:
            where = f"requests.{number}.params"
            param = f"{where}.{error.param}" if error.param else where
            raise WireError(error.status, f"{where}: {error.message}", param, error.code) from None
        request = accepted.request.model_copy(update={"id": one.custom_id})
        yield Line(number + 1, request, {"model": params.model}), accepted


def response(row: BatchRow, origin: Origin, url: str) -> dict[str, Any]:
    """`url` is that of the batch."""
    tally, ended = row.tally, row.state not in ("loading", "running")
    return {
        "id": row.id,
        "type": "message_batch",
        "processing_status": "ended" if ended else "canceling" if origin.cancelling else "in_progress",
        "request_counts": {
            "processing": 0 if ended else tally.waiting,
            "succeeded": tally.done,
            "errored": tally.failed,
            "canceled": tally.cancelled + (tally.waiting if ended else 0),
            "expired": 0,
        },
        "created_at": _time(row.created),
        "expires_at": _time(row.created + timedelta(days=1)),
        "ended_at": _time(row.ended) if row.ended else None,
        "archived_at": None,
        "cancel_initiated_at": _time(origin.cancelling) if origin.cancelling else None,
        "results_url": f"{url}/results" if ended else None,
    }


def result_line(batch: BatchRow, item: Item, end: Outcome | Failure | None) -> dict[str, Any]:
    """A line of the results; None is the end of an item that was not begun."""
    result: dict[str, Any]
    if end is None or (isinstance(end, Failure) and end.type == CANCELLED):
        result = {"type": "canceled"}
    elif isinstance(end, Outcome):
        id, ours = (
            f"{batch.id.replace('msgbatch_', 'msg_', 1)}_{item.number}",
            account(end, item.pattern or batch.pattern),
        )
        model = str(item.echo["model"])
        result = {"type": "succeeded", "message": anthropic.response(end, ours, id=id, model=model)}
    else:
        status = status_of(end)
        result = {"type": "errored", "error": anthropic.error(status.status, end.message, code=status.code)}
    return {"custom_id": item.own, "result": result}


def _time(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
