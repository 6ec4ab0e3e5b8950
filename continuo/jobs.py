"""One argument in, one result out: the job a pattern gets and the outcome it returns, from every pattern alike."""

import re
from collections.abc import Iterable
from datetime import datetime
from math import fsum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, JsonValue

from continuo.data import WHEN_SET, Data, Number, Seconds
from continuo.decided import Decision
from continuo.messages import FinishReason, Message, ModelRequest, Token, Transcript, Usage
from continuo.patterns import Step
from continuo.patterns.guard import Hold

Priority = Literal["critical", "standard", "batch"]
Prefer = Literal["cost", "speed", "quality"]
ServedBy = Literal["model", "cache", "knowledge", "rule", "template", "human", "service", "function", "tool"]
Consensus = Literal["unanimous", "weighted", "majority", "average", "meta"]


def _tenant(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value):
        raise ValueError(f"{value[:80]!r} is no tenant's name; write at most 64 letters, digits, dots, _ and -")
    return value


def is_name(value: str) -> bool:
    """Whether it may name a user, a session or a run."""
    return value.isprintable() and 0 < len(value.encode()) <= MAX_NAME


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError(f"{value[:80]!r} is no name; write one line of 1 to {MAX_NAME} bytes that can be seen")
    return value


MAX_NAME = 200
"""Bytes: it is part of the ids of workflows, which may have 1,000."""

REVISION = 3
"""What runs do that begin now, and earlier ones did not, so that those go on as they began. From 1 on a cancelled call
is waited for and booked, and has an id of its own, a child that is being started is handed a cancellation, and
decisions are kept; from 2 on a compensation that is parked is a review; from 3 on a child that ends in the moment of a
cancellation is taken into the account. It is part of the job and not a patch marker, which would cost every run two
more events."""

WANTED = "wanted"
"""The `stream` of a job that has no run id yet."""

CANCELLED = "Cancelled"
"""The type of the failure of a run that was cancelled."""

TenantName = Annotated[str, AfterValidator(_tenant)]
"""Without slashes, so that it is one part of an id, and no longer than a fairness key, of 64 bytes, may be."""

Name = Annotated[str, AfterValidator(_name)]
"""A user, a session or a run, as the caller's own system names it."""


Usd = Annotated[Number, Field(ge=0, le=1e9)]
Weight = Annotated[Number, Field(ge=0.001, le=1000)]
"""The share of a busy queue beside that of others."""


class KeyTerms(Data):
    """The API key that a run came in with. `daily_usd` and `monthly_usd` are what all calls of the key may cost in a
    day and a month of the tenant's zone, None without a budget; `weight` counts instead of the tenant's."""

    id: str
    daily_usd: Usd | None = None
    monthly_usd: Usd | None = None
    weight: Weight | None = None


class Background(Data):
    """A run whose caller does not wait, and asks for it by `id`.

    `metadata` is the caller's own, and given back with it; `webhook` is the address that is told of its end.
    """

    id: str
    metadata: Annotated[dict[str, str], WHEN_SET] = {}
    webhook: Annotated[str | None, WHEN_SET] = None


class Context(Data):
    """For whom a job runs. `deadline` is in seconds from its start, and `pattern` the name it was started by, which the
    door fills in.

    A split keeps a `user`, or a `session`, at one variant; a route by preference follows `prefer`. `key` is that of a
    caller who came in with one, and `background` is set where nobody waits for the answer. An agent goes on with what
    was said before in the same `conversation`. `vault` owns what the run's placeholders stand for, where it needs that.
    """

    pattern: str = ""
    tenant: TenantName = "default"
    user: Name | None = None
    session: Name | None = None
    prefer: Prefer | None = None
    priority: Priority = "standard"
    deadline: Seconds | None = None
    key: Annotated[KeyTerms | None, WHEN_SET] = None
    background: Annotated[Background | None, WHEN_SET] = None
    conversation: Annotated[Name | None, WHEN_SET] = None
    vault: Annotated[str | None, WHEN_SET] = None

    @property
    def key_id(self) -> str | None:
        return self.key.id if self.key else None


Flag = Annotated[bool, Field(exclude_if=lambda value: not value)]


class Read(Data):
    """What an agent has read that limits what it may do: data from `outside`, and `secrets`."""

    outside: Flag = False
    secrets: Flag = False


class Job(Data):
    """One pattern with one request and its context.

    `data` is structured input, such as an order. `path` says where in the whole pattern `step` stands, and
    `saga` is the identity of the saga that runs it, if one does, `agent` that of the agent whose tool it is. What is to
    be done `once` is never tried again. `revision` is that of the code that began the run.
    `rule` is the name of the one that decided on it, if one did, before it became a run.
    `stream` is set where the pieces of the answer go to the stream log as they come: the run id of the whole run, which
    its workflow writes in place of the door's `WANTED`. A call that had to wait for its limits had so many `attempts`
    before, of which so many were `failures`. `read` is what the agent has read that runs it. `carried` is what a
    workflow that continues as new hands to the next one, and `before` what a review compares that with which it shows.
    `decisions` are those of the door's stages: of a plain call, which has no memo to keep them, or until it is a run.
    The pieces of an answer pass what is `held`, the innermost guard's first, before they are in the stream log. Where
    an agent is streamed, `turn` is the number of the one that its model is asked for, and `said` how many characters
    those before it have.
    """

    step: Step
    context: Context
    request: ModelRequest
    data: dict[str, JsonValue] = {}
    path: str = ""
    saga: str | None = None
    agent: Annotated[str | None, WHEN_SET] = None
    once: Annotated[bool, Field(exclude_if=lambda value: not value)] = False
    rule: Annotated[str | None, WHEN_SET] = None
    revision: int = 0
    stream: Annotated[str | None, WHEN_SET] = None
    attempts: int = Field(default=0, exclude_if=lambda value: not value)
    failures: int = Field(default=0, exclude_if=lambda value: not value)
    read: Annotated[Read, Field(exclude_if=lambda value: value == Read())] = Read()
    carried: Annotated[dict[str, JsonValue] | None, WHEN_SET] = None
    before: Annotated[str | None, WHEN_SET] = None
    decisions: Annotated[tuple[dict[str, JsonValue], ...], WHEN_SET] = ()
    held: Annotated[tuple[Hold, ...], WHEN_SET] = ()
    turn: Annotated[int, Field(exclude_if=lambda value: not value)] = 0
    said: Annotated[int, Field(exclude_if=lambda value: not value)] = 0

    @property
    def effect(self) -> str | None:
        """The key of what a step does for an agent: by it that is done once, whatever is tried, moved or reset."""
        return None if self.agent is None else f"{self.agent}/{self.path}"

    @property
    def values(self) -> dict[str, JsonValue]:
        """What the placeholders of a step stand for."""
        keys = {"saga": self.saga, "effect": self.effect}
        own = {name: value for name, value in keys.items() if value is not None}
        if self.agent is None or isinstance(self.data.get("input", ""), str):
            own["input"] = self.request.prompt
        return {**self.data, **own}

    def begun(self) -> "Job":
        """The same job as one that begins now."""
        return self.model_copy(update={"revision": REVISION, "decisions": ()})

    def asking(self, prompt: str) -> "Job":
        """The same job with `prompt` as its only turn."""
        messages = (Message(role="user", content=prompt),)
        return self.model_copy(update={"request": self.request.model_copy(update={"messages": messages})})

    def instructed(self, system: str) -> "Job":
        """The same job with other instructions and its last turn alone, to be answered by a text that is not rated."""
        prompted = self.asking(self.request.prompt)
        request = prompted.request.as_text().model_copy(update={"system": system, "rated": False})
        return prompted.model_copy(update={"request": request})

    def rated(self) -> "Job":
        """The same job, whose models are asked how sure they are."""
        return self.model_copy(update={"request": self.request.model_copy(update={"rated": True})})

    def of(self, step: Step, name: str) -> "Job":
        """The same job for a step nested in this one, under `name`; nobody wants the pieces of what is not answered
        word for word."""
        stream = self.stream if self.stream and name in self.step.answering() else None
        path = f"{self.path}.{name}" if self.path else name
        held = self.held if stream else ()
        return self.model_copy(update={"step": step, "path": path, "stream": stream, "held": held})


class CallRecord(Data):
    """One call as it went. `latency_ms` is the last attempt's; `cost_usd` is absent when the price is unknown.

    `usage` and `cost_usd` are the sums over all attempts. What was sent and never answered counts with what was
    reserved for it, and `usage` is then marked as estimated. With a `count` above 1 it is the sum of so many calls
    below the step at `path` that ended alike: each is in the history of the workflow that made it.
    """

    path: str
    model: str
    provider: str | None = None
    count: int = 1
    attempts: int | None = None
    status: Literal["ok", "failed", "cancelled", "lost"]
    error: str | None = None
    usage: Usage = Usage()
    cost_usd: float | None = None
    latency_ms: float | None = None


class Checkpoint(Data):
    """A point that a job is known to have passed, and when (UTC)."""

    name: str
    time: datetime


class Alternative(Data):
    """An answer that an ensemble did not choose, and whose it was."""

    member: str
    text: str
    model: str | None = None
    confidence: float | None = None


class Vote(Data):
    """What a person decided on a review, and when (UTC)."""

    reviewer: str
    decision: Literal["approve", "edit", "reject", "respond"]
    reason: Annotated[str | None, WHEN_SET] = None
    note: Annotated[str, Field(exclude_if=lambda value: not value)] = ""
    time: datetime


class Verdict(Vote):
    """What a review came to, with who decided it last and, where several did, all their `votes`. `changes` are what an
    edit changed, line by line."""

    votes: Annotated[tuple[Vote, ...], WHEN_SET] = ()
    changes: Annotated[tuple[str, ...], WHEN_SET] = ()

    @property
    def line(self) -> str:
        """In one line, for people."""
        why = ": ".join(part for part in (self.reason, self.note) if part)
        return f"{self.decision} by {self.reviewer}, {self.time:%Y-%m-%d %H:%M:%S} UTC{f' ({why})' if why else ''}"


Level = Literal["simple", "moderate", "complex", "expert"]


class Share(Data):
    """Tokens and USD of some of a run's calls; `cost_usd` is absent when the price of one is unknown."""

    usage: Usage = Usage()
    cost_usd: float | None = None


class Orchestration(Data):
    """How a task was split, and what that saved.

    `level` is how hard the task looked, `reasons` why, and `estimated_usd` what it was then expected to cost.
    `subtasks` is 0 where it was one call. `orchestrator` planned, merged and validated. `saved_usd` is what the calls
    whose answers were used would have cost at the price of the model `against`, less what all calls did: below 0 where
    that was more; absent where either is unknown.
    """

    level: Level
    reasons: tuple[str, ...] = ()
    estimated_usd: float | None = None
    subtasks: int = 0
    orchestrator: Share
    executors: Share
    against: str | None = None
    saved_usd: float | None = None


class Account(Data):
    """What every end of a job tells. A field that does not apply is left out of the JSON.

    `outputs` are the answers of named steps and branches; `calls` are all that were made, paid or not. `omitted` says
    how many entries of a field were left out, by the field's name, where there were too many or too long ones.
    `guarded` is what guards decided on answers, `variant` is that of the outermost split.
    """

    outputs: dict[str, str] = {}
    calls: tuple[CallRecord, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    omitted: dict[str, int] = {}
    variant: Annotated[str | None, WHEN_SET] = None
    guarded: Annotated[tuple[Decision, ...], WHEN_SET] = ()

    def to_json(self) -> str:
        return self.model_dump_json(exclude_defaults=True, indent=2)

    def replaced(self, **fields: object) -> Self:
        """A copy with other `fields`: what had been left out of the former ones counts no more."""
        omitted = {name: count for name, count in self.omitted.items() if name not in fields}
        return self.model_copy(update={"omitted": omitted, **fields})

    def omitting(self, **counts: int) -> Self:
        """A copy that says how many more entries of these fields were left out."""
        more = {name: self.omitted.get(name, 0) + count for name, count in counts.items() if count}
        return self.model_copy(update={"omitted": {**self.omitted, **more}})


class Outcome(Account):
    """The answer with its full account.

    `usage` and `cost_usd` are the sums over `calls`; `cost_usd` is absent when the price of any call is unknown.
    `saved_usd` is what an answer from the cache had cost, or what it saved to leave turns out. `missing` names the
    branches or members that gave no answer, or nothing that counts. `branch` is the one that a route picked, and `tier`
    that of a cascade or a fallback, in each case the outermost one's. `latency_ms` is from the start of the workflow to
    its end. `embedding` is what an embedding model answers: the vectors of the turns one after the other, all of the
    same length, as 32-bit floats in base64; `text` is empty then. `transcript` says when each part of an audio was
    said, where that is asked. `turns` is the digest of an agent's last turn, which stands for all. `verdict` is what a
    person decided, `orchestration` is that of an `orchestrate`.
    """

    text: str
    served_by: ServedBy
    embedding: Annotated[str | None, WHEN_SET] = None
    verdict: Annotated[Verdict | None, WHEN_SET] = None
    message: Message | None = None
    finish_reason: FinishReason | None = None
    model: str | None = None
    provider: str | None = None
    tier: int | None = None
    branch: str | None = None
    fallback: bool = False
    reasons: tuple[str, ...] = ()
    confidence: float | None = None
    logprobs: Annotated[tuple[Token, ...], WHEN_SET] = ()
    transcript: Annotated[Transcript | None, WHEN_SET] = None
    consensus: Consensus | None = None
    alternatives: tuple[Alternative, ...] = ()
    partial: bool = False
    missing: tuple[str, ...] = ()
    simulated: bool = False
    usage: Usage | None = None
    cost_usd: float | None = None
    saved_usd: float | None = None
    orchestration: Annotated[Orchestration | None, WHEN_SET] = None
    latency_ms: float | None = None
    turns: Annotated[str | None, WHEN_SET] = None
    workflow_id: str | None = None
    run_id: str | None = None


class Failure(Account):
    """Why a job gave no answer: the details of every `ApplicationError` that a workflow raises.

    `causes` has one line for each thing that was tried.
    """

    type: str
    message: str
    causes: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """One line, for what failed because of this."""
        return f"{self.type}: {self.message}"


def under(path: str, calls: Iterable[CallRecord]) -> tuple[CallRecord, ...]:
    """Those of `calls` that the step at `path`, or a step below it, made."""
    return tuple(call for call in calls if f"{call.path}.".startswith(f"{path}."))


def total_cost(calls: tuple[CallRecord, ...]) -> float | None:
    """The sum in USD, exact to the nano-dollar; None when the price of a call that used tokens is unknown, never 0."""
    paid = [call for call in calls if call.usage != Usage()]
    if any(call.cost_usd is None for call in paid):
        return None
    return round(fsum(call.cost_usd or 0.0 for call in paid), 9)
