"""What others may be told of: facts as events, which hold no content and no personal data."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import get_args

from pydantic import JsonValue

from continuo.config.events import Type
from continuo.cut import cut
from continuo.data import Data
from continuo.decisions.review import Brief
from continuo.jobs import CallRecord, Context
from continuo.operations.jobs import ended
from continuo.operations.runs import RunRow
from continuo.patterns.review import Decided
from continuo.protection.breaker import State

PREFIX = "continuo."
"""Of the types, as subscribers see them."""

MEDIA_TYPE = "application/cloudevents+json"

RUN_DATA = (
    "run_id", "kind", "status", "served_by", "model", "variant", "tier", "input_tokens", "output_tokens", "cost_usd",
    "saved_usd", "latency_ms", "simulated", "job", "parent", "shadow_of",
)  # fmt: skip


class Event(Data):
    """One fact. The `id` is made of the fact, and so the same however often it is noticed or delivered.

    `subject` is the id of the run, or what else it is about: `breaker/PROVIDER`, `budget/TENANT`, `alert/RULE`. `seq`
    is its number on the bus, which it has once that is known to all.
    """

    id: str
    type: Type
    subject: str
    time: datetime
    tenant: str | None = None
    pattern: str | None = None
    data: dict[str, JsonValue] = {}
    seq: int | None = None

    def cloud(self, source: str) -> dict[str, JsonValue]:
        """As CloudEvents 1.0 has it; `tenant` and `pattern` are extension attributes."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": source,
            "type": PREFIX + self.type,
            "subject": self.subject,
            "time": self.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            **({} if self.tenant is None else {"tenant": self.tenant}),
            **({} if self.pattern is None else {"pattern": self.pattern}),
            "datacontenttype": "application/json",
            "data": self.data,
        }

    def body(self, source: str) -> str:
        """The same in its structured JSON mode."""
        return json.dumps(self.cloud(source), separators=(",", ":"), ensure_ascii=False)


def of_run(row: RunRow) -> Event | None:
    """The end of a run; None as long as it goes on, in this run or in another one."""
    if row.ended is None or row.status in ("running", "continued", "forgotten"):
        return None
    data: dict[str, JsonValue] = {name: value for name in RUN_DATA if (value := getattr(row, name)) is not None}
    if row.error is not None:
        data["error"] = error_type(row.error)
    kind = f"run.{ended(row)}"
    return Event(
        id=f"run/{row.run_id}/ended",
        type=kind,
        subject=row.workflow_id,
        time=row.ended,
        tenant=row.tenant,
        pattern=row.pattern,
        data=data,
    )


def of_call(identity: str, run: str, record: CallRecord, context: Context, now: datetime) -> Event:
    """The answer of a call, with what it cost."""
    usage = record.usage
    data: dict[str, JsonValue] = {
        "path": record.path,
        "model": record.model,
        "provider": record.provider,
        "attempts": record.attempts,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "cost_usd": record.cost_usd,
        "latency_ms": record.latency_ms,
    }
    return Event(
        id=f"call/{identity}",
        type="call.completed",
        subject=run,
        time=now,
        tenant=context.tenant,
        pattern=context.pattern,
        data={name: value for name, value in data.items() if value is not None},
    )


def of_budget(whose: str, tenant: str, period: date | str, limit: float, now: datetime) -> Event:
    """A budget that did not have what a call may cost; once for each day or month of it, whoever is refused next."""
    return Event(
        id=f"budget/{whose}/{period}",
        type="budget.exceeded",
        subject=f"budget/{whose}",
        time=now,
        tenant=tenant,
        data={"period": str(period), "limit_usd": limit},
    )


def of_breaker(state: State, before: State | None) -> Iterator[Event]:
    """What the breaker has become since it was last shown."""
    last = before.transitions[-1].time if before is not None and before.transitions else None
    names: dict[str, Type] = {
        "open": "breaker.opened", "half_open": "breaker.half_opened", "closed": "breaker.closed"
    }  # fmt: skip
    for transition in state.transitions:
        if last is None or transition.time > last:
            yield Event(
                id=f"breaker/{state.provider}/{transition.time.isoformat()}",
                type=names[transition.state],
                subject=f"breaker/{state.provider}",
                time=transition.time,
                data={"provider": state.provider},
            )


def of_review(brief: Brief, closed: datetime | None) -> Iterator[Event]:
    """That a review was opened and, where it is `closed`, that it was decided or is over."""
    about: dict[str, JsonValue] = {"review": brief.id, "path": brief.path, "due": brief.due.isoformat()}
    whose = {"subject": brief.run, "tenant": brief.tenant, "pattern": brief.pattern}
    yield Event(id=f"review/{brief.id}/opened/{brief.opened.isoformat()}", type="review.opened", time=brief.opened,
                data=about, **whose)  # fmt: skip
    if closed is not None:
        # The rest of the line names people, and says what they wrote.
        word = (brief.verdict or "").partition(" by ")[0]
        decision = word if word in get_args(Decided) else "none"
        yield Event(id=f"review/{brief.id}/decided/{brief.opened.isoformat()}", type="review.decided", time=closed,
                    data={**about, "decision": decision}, **whose)  # fmt: skip


def of_letter(brief: Mapping[str, JsonValue], id: str, added: datetime, closed: datetime | None) -> Iterator[Event]:
    """That a dead letter was added and, where it is `closed`, that."""
    data: dict[str, JsonValue] = {"run_id": brief["run_id"], "error": error_type(str(brief["error"]))}
    whose = {"subject": str(brief["workflow_id"]), "tenant": str(brief["tenant"]), "pattern": str(brief["pattern"])}
    yield Event(id=f"{id}/added", type="dead_letter.added", time=added, data=data, **whose)
    if closed is not None:
        yield Event(id=f"{id}/closed", type="dead_letter.closed", time=closed, data=data, **whose)


def error_type(line: str) -> str:
    """The type at the start of an error's line: what stands behind it may be the text of a prompt or an answer."""
    word = line.partition(":")[0]
    return cut(word, 80) if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", word) else "unknown"


def whole_run(workflow_id: str, path: str) -> str:
    """The id of the whole run whose step at `path` runs in the workflow of this id: a child has the path of its own
    step at its end."""
    parts = path.split(".")
    for count in range(len(parts), 0, -1):
        own = "." + ".".join(parts[:count])
        if path and workflow_id.endswith(own):
            return workflow_id.removesuffix(own)
    return workflow_id
