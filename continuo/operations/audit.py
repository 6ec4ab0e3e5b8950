"""The audit: what an entry says, how entries are chained, and whether a chain is whole. Nothing here holds a text."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Literal, NamedTuple

from continuo.data import WHEN_SET, Data
from continuo.decided import Decision
from continuo.jobs import Failure, Job, Outcome
from continuo.money import NANO
from continuo.operations.runs import RunRow

Event = Literal["began", "ended", "lost", "decided", "answered", "refused", "pruned", "forgot"]
"""`answered` is at the door, without a run, and `refused` too. A person has `decided` on a review of a run. A run that
is `lost` ran when it was last seen, and Temporal does not know it any more. `pruned` says up to which row the chain was
cut, and `forgot` that a person was forgotten."""

START = "0" * 64
"""What the first row of a chain follows."""


class Digest(Data):
    """A text by its SHA-256, and its length in bytes of UTF-8."""

    sha256: str
    length: int


class Started(Data):
    """What is noted of a job when it starts: the API key that it came with, its input, and what the stages decided."""

    key: Annotated[str | None, WHEN_SET] = None
    input: Digest
    decisions: Annotated[tuple[Decision, ...], WHEN_SET] = ()


class Entry(Data):
    """One event of a `tenant`'s at a `time` (UTC), of the run with the run id `run` if it is one of a run.

    Before it is kept, `user` and `reviewer` are replaced by pseudonyms, and the digests by keyed ones. `error` is the
    type of a failure, `models` are all that were called. With `until`, the rows up to that number were pruned.
    """

    event: Event
    time: datetime
    tenant: str
    run: str | None = None
    user: str | None = None
    key: str | None = None
    pattern: str | None = None
    kind: str | None = None
    status: str | None = None
    served_by: str | None = None
    models: tuple[str, ...] = ()
    error: str | None = None
    verdict: str | None = None
    reviewer: str | None = None
    decisions: tuple[Decision, ...] = ()
    input: Digest | None = None
    output: Digest | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_nanousd: int | None = None
    until: int | None = None


class Seen(NamedTuple):
    """A run as it is seen: its row, with what it was asked and what it came to, as far as these are known."""

    row: RunRow
    start: Started | None = None
    end: Outcome | Failure | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Its beginning, and its end if it has one."""
        row = self.row
        if row.status == "forgotten":
            return (self._entry("lost", datetime.now(UTC)),)
        began = self._entry("began", row.started)
        return (began,) if row.ended is None else (began, self.ended("ended", row.ended))

    def at_door(self, event: Literal["answered", "refused"]) -> Entry:
        """Its end where it was no run."""
        return self.ended(event, self.row.ended or self.row.started)

    def ended(self, event: Event, time: datetime) -> Entry:
        """Its end, as this event."""
        row, end = self.row, self.end
        verdict = end.verdict if isinstance(end, Outcome) else None
        update: dict[str, object] = {
            "status": row.status,
            "served_by": row.served_by,
            "models": tuple(dict.fromkeys(call.model for call in end.calls)) if end else (),
            "error": end.type if isinstance(end, Failure) else None,
            "verdict": verdict and verdict.decision,
            "reviewer": verdict and verdict.reviewer,
            "output": _digest(end.text) if isinstance(end, Outcome) else None,
            "input_tokens": row.input_tokens,
            "output_tokens": row.output_tokens,
            "cost_nanousd": None if row.cost_usd is None else round(row.cost_usd * NANO),
        }
        return self._entry(event, time).model_copy(update=update)

    def _entry(self, event: Event, time: datetime) -> Entry:
        row, start = self.row, self.start
        return Entry(
            event=event,
            time=time,
            tenant=row.tenant,
            run=row.run_id,
            user=row.user,
            key=start and start.key,
            pattern=row.pattern,
            kind=row.kind,
            decisions=start.decisions if start else (),
            input=start and start.input,
        )


def asked_of(job: Job, decisions: tuple[Decision, ...] = ()) -> Started:
    """What is noted of a job. Its input is the JSON of the request and the data that run: what a stage has removed
    from these is in no digest."""
    text = job.request.model_dump_json(exclude_defaults=True) + json.dumps(job.data)
    return Started(key=job.context.key_id, input=_digest(text), decisions=decisions)


def _digest(text: str) -> Digest:
    content = text.encode()
    return Digest(sha256=sha256(content).hexdigest(), length=len(content))


class Link(NamedTuple):
    """A row of a chain. `entry` is JSON and says all that the columns before it do; `hash` is of it and of the hash of
    the row before."""

    tenant: str
    seq: int
    time: str
    run: str | None
    event: str
    entry: str
    hash: str


def linked(entry: Entry, seq: int, previous: str) -> Link:
    """The row of an entry, which follows the one with the hash `previous`."""
    values = {**entry.model_dump(mode="json", exclude_defaults=True), "seq": seq, "time": written(entry.time)}
    # No float is in it, so that whoever reads the JSON, with any library, writes it again to the byte.
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return Link(entry.tenant, seq, values["time"], entry.run, entry.event, text, chained(previous, text))


def chained(previous: str, entry: str) -> str:
    return sha256(f"{previous}\n{entry}".encode()).hexdigest()


def written(time: datetime) -> str:
    """The time as it stands in every row, so that texts are in the order of times."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


class Chain(Data):
    """What is known of a tenant's chain apart from its rows: its last row, and the last one that was pruned, each by
    its number and hash; what was before `pruned_before` is not entered any more."""

    tenant: str
    seq: int = 0
    hash: str = START
    pruned: int = 0
    pruned_hash: str = START
    pruned_before: str = ""


class Head(Data):
    """The last row of a chain, as an operator keeps it elsewhere."""

    tenant: str
    seq: int
    hash: str


class Broken(Data):
    """The first row at which a chain is not as it was written."""

    tenant: str
    row: int
    why: str


class Verification:
    """Looks at the rows of a chain, from the first one on. `kept` are earlier heads of it, from elsewhere."""

    def __init__(self, chain: Chain, kept: Iterable[Head] = ()) -> None:
        self._chain = chain
        self._kept: Mapping[int, str] = {head.seq: head.hash for head in kept}
        self._seq, self._hash, self._until = chain.pruned, chain.pruned_hash, 0
        self.rows = 0

    def broken_at(self, row: Link) -> Broken | None:
        """What is wrong with the next row."""
        due, tenant = self._seq + 1, self._chain.tenant
        if row.seq != due:
            return Broken(tenant=tenant, row=due, why="it is missing")
        try:
            values = json.loads(row.entry)
            said = row._replace(**{name: values.get(name) for name in Link._fields[:5]})
            until = int(values.get("until", 0))
        except (ValueError, AttributeError, TypeError):
            return Broken(tenant=tenant, row=due, why="it was changed: it is no entry")
        if (said.tenant, said.seq) != (tenant, due):
            return Broken(tenant=tenant, row=due, why=f"it was moved here: it was row {said.seq} of {said.tenant}")
        if said != row or row.hash != chained(self._hash, row.entry):
            return Broken(tenant=tenant, row=due, why="it was changed, or one before it was")
        if self._kept.get(due, row.hash) != row.hash:
            return Broken(tenant=tenant, row=due, why="it is another one than when its hash was kept elsewhere")
        self._seq, self._hash, self.rows = due, row.hash, self.rows + 1
        if row.event == "pruned":
            self._until = max(self._until, until)
        return None

    def broken_end(self) -> Broken | None:
        """What is wrong with the chain when its last row has been looked at."""
        chain, last = self._chain, max(self._kept, default=0)
        if self._until < chain.pruned:
            return Broken(tenant=chain.tenant, row=self._until + 1, why="it is missing, and was not pruned")
        if (self._seq, self._hash) != (chain.seq, chain.hash):
            return Broken(tenant=chain.tenant, row=self._seq + 1, why="it is missing, with all behind it")
        if last > self._seq:
            return Broken(tenant=chain.tenant, row=self._seq + 1, why="it is missing: its hash was kept elsewhere")
        if self._kept.get(chain.pruned, chain.pruned_hash) != chain.pruned_hash:
            why = "it was pruned as another one than when its hash was kept elsewhere"
            return Broken(tenant=chain.tenant, row=chain.pruned, why=why)
        return None
