"""Every pattern as data: frozen specs, told apart by `kind`, that nest in each other.

In Python they compose: `a | b` asks both at once, `a >> b` feeds the one into the other, and
`(a | b | c) >> Majority(quorum=2)` lets three vote.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from continuo.data import Data, Int, Number, Seconds
from continuo.errors import unknown
from continuo.patterns.choices import (
    Classifier,
    Collect,
    Combine,
    Combining,
    Intent,
    KeyField,
    Keywords,
    Majority,
    Merge,
    Merging,
    Meta,
    Name,
    Semantic,
    UnanimousOrWeighted,
    WeightedVote,
    labels,
)

PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Spec(Data):
    """What all patterns share. `isolate: true` runs the step as a child workflow of its own."""

    isolate: bool = False

    def nested(self) -> "Mapping[str, Step]":
        """Every step directly below this one, by the name that its path, its workflow id and the UI show."""
        return {}

    def __or__(self, other: "Step") -> "FanOut":
        """Ask both at once; a further `|` adds a branch."""
        # One with names or settings of its own is a branch itself, since neither may be lost.
        mine = (
            self.branches.values() if isinstance(self, FanOut) and self == _at_once(self.branches.values()) else (self,)
        )
        return _at_once((*mine, other))

    def __rshift__(self, other: "Step | Combine") -> "Pipeline | Ensemble":
        """Feed this step's answer into `other`; steps asked at once by `|` may be followed by how to combine them."""
        if isinstance(other, Spec):
            mine = [step.step for step in self.steps] if isinstance(self, Pipeline) else []
            return _in_order([*mine, other] if mine and self == _in_order(mine) else [self, other])
        if isinstance(self, FanOut) and self == _at_once(self.branches.values()):
            return Ensemble(members=tuple(self.branches.values()), combine=other)
        raise TypeError(f"{type(other).__name__} combines what `|` joins; write (a | b) >> {type(other).__name__}()")


class Retry(Data):
    """How often and when a transient failure is tried again.

    Attempt n+1 follows after `initial * factor**(n-1)` seconds, at most `maximum`, with a jitter of ±20 %;
    a provider's `Retry-After` takes precedence.
    """

    attempts: Int = Field(default=3, ge=1, le=1000)
    initial: Seconds = 1.0
    factor: Number = Field(default=2.0, ge=1, le=10)
    maximum: Seconds = 30.0


class Call(Spec):
    """One request to one model.

    `model` is an id or an alias of the catalog. `timeout` is for one attempt. `system`, `max_tokens` and
    `temperature` stand in where the request itself leaves them open. `local` makes the call on the worker that runs the
    workflow, as a local activity: cheaper for a model that answers within seconds, and later to be cancelled.
    """

    kind: Literal["call"] = "call"
    model: str
    system: str | None = None
    max_tokens: Int | None = Field(default=None, gt=0, le=10_000_000)
    temperature: Number | None = Field(default=None, ge=0, le=2)
    timeout: Seconds = 120.0
    retry: Retry = Retry()
    local: bool = False


class Template(Spec):
    """A fixed answer, marked `fallback: true`: the last tier when no model can answer."""

    kind: Literal["template"] = "template"
    text: str = Field(min_length=1)


class Fallback(Spec):
    """Try each step in order, best to acceptable; the first answer wins."""

    kind: Literal["fallback"] = "fallback"
    steps: tuple["Step", ...] = Field(min_length=1)

    def nested(self) -> "Mapping[str, Step]":
        return _numbered("tier", self.steps)


class Cascade(Spec):
    """Ask the cheapest step first, and the next one while the answer's confidence is under its step's threshold.

    `thresholds` are in 0..1; the last of them holds for the steps after it, and the last step needs none.
    """

    kind: Literal["cascade"] = "cascade"
    steps: tuple["Step", ...] = Field(min_length=1)
    thresholds: tuple[Annotated[Number, Field(ge=0, le=1)], ...] = Field(default=(0.85, 0.80), min_length=1)

    def nested(self) -> "Mapping[str, Step]":
        return _numbered("tier", self.steps)


class Route(Spec):
    """Let a classifier pick one of the branches; `default` names the one for a label without a branch."""

    kind: Literal["route"] = "route"
    by: Classifier
    branches: "dict[Name, Step]" = Field(min_length=1)
    default: str | None = None

    def nested(self) -> "Mapping[str, Step]":
        classify = {"classify": self.by.step} if isinstance(self.by, Intent) else {}
        return {**classify, **self.branches}

    @model_validator(mode="after")
    def _every_label_leads_somewhere(self) -> Self:
        if self.default is not None and self.default not in self.branches:
            raise unknown("default branch", self.default, self.branches)
        known = labels(self.by)
        if known is not None:
            for name in self.branches:
                if name not in known and name != self.default:
                    raise unknown(f"label of the classifier {self.by.kind!r}:", name, known)
            for label in known:
                if label not in self.branches and self.default is None:
                    raise ValueError(f"the label {label!r} has no branch; add the branch, or name a default")
        if isinstance(self.by, Keywords | Intent) and self.default is None:
            raise ValueError(f"the classifier {self.by.kind!r} may find no label; name a default branch")
        return self


class PipelineStep(Data):
    """A step and what it is asked: `prompt` may hold `{input}`, `{previous}` and the `{name}` of any step before.

    Without a `prompt` the first step is asked what the pipeline is asked, and each other one `{previous}`.
    """

    name: Name
    prompt: str | None = Field(default=None, min_length=1)
    step: "Step"


class Pipeline(Spec):
    """Run the steps in order, each fed what those before it answered."""

    kind: Literal["pipeline"] = "pipeline"
    steps: tuple[PipelineStep, ...] = Field(min_length=1)

    def nested(self) -> "Mapping[str, Step]":
        return {step.name: step.step for step in self.steps}

    @model_validator(mode="after")
    def _prompts_can_be_filled(self) -> Self:
        _check_unique(step.name for step in self.steps)
        known = ["input"]
        for number, step in enumerate(self.steps):
            _check_placeholders(f"the prompt of step {step.name!r}", step.prompt, known)
            known += [step.name] if number else [step.name, "previous"]
        return self


class FanOut(Spec):
    """Run named branches at once, each as a child workflow unless `inline`, and merge their answers.

    `min_successes` (default: all) is how many must answer; with some missing the outcome is partial.
    `branch_timeout` cancels only the branch that takes longer.
    """

    kind: Literal["fan_out"] = "fan_out"
    branches: "dict[Name, Step]" = Field(min_length=1)
    merge: Merging = Collect()
    min_successes: Int | None = Field(default=None, ge=1, le=10_000)
    branch_timeout: Seconds | None = None
    inline: bool = False

    def nested(self) -> "Mapping[str, Step]":
        return {**self.branches, **({"merge": self.merge.step} if isinstance(self.merge, Merge) else {})}

    @model_validator(mode="after")
    def _can_succeed(self) -> Self:
        if self.min_successes is not None and self.min_successes > len(self.branches):
            raise ValueError(f"min_successes is {self.min_successes}, more than there are branches; lower it")
        if isinstance(self.merge, Merge):
            _check_placeholders("the prompt of merge", self.merge.prompt, ("input", "answers", *self.branches))
        return self


class Ensemble(Spec):
    """Ask several members the same, each as a child workflow unless `inline`, and combine what they answer.

    `otherwise` runs when they come to no decision.
    """

    kind: Literal["ensemble"] = "ensemble"
    members: tuple["Step", ...] = Field(min_length=2)
    combine: Combining = UnanimousOrWeighted()
    otherwise: "Step | None" = None
    inline: bool = False

    def nested(self) -> "Mapping[str, Step]":
        merge = {"merge": self.combine.step} if isinstance(self.combine, Meta) else {}
        return {**_numbered("member", self.members), **merge, **_otherwise(self.otherwise)}

    @model_validator(mode="after")
    def _can_be_combined(self) -> Self:
        count = len(self.members)
        if isinstance(self.combine, Majority) and (self.combine.quorum or 1) > count:
            raise ValueError(f"quorum is {self.combine.quorum}, more than there are members; lower it")
        if isinstance(self.combine, WeightedVote) and len(self.combine.weights or self.members) != count:
            raise ValueError(f"weights must be {count}, one for each member")
        if isinstance(self.combine, Meta):
            _check_placeholders("the prompt of meta", self.combine.prompt, ("input", "answers"))
        return self


class Cached(Spec):
    """Look the answer up, else run `step` and keep what it answers for `ttl`.

    In Python `step` may come first: `Cached(step, ttl=60)`.
    `key` names what makes two jobs the same: `prompt` (the last turn), `messages` (all turns), `system`, `tools`,
    `response_schema`, `max_tokens`, `temperature`, `user`, `data`, or `data.NAME` of one field; default: the whole
    request and its data, for all users of a tenant. The tenant and the step itself are always part of it.
    At most `max_size` answers are kept for a tenant; the least recently used go first.
    """

    kind: Literal["cached"] = "cached"
    step: "Step"
    ttl: Seconds = 3600.0
    max_size: Int = Field(default=10_000, ge=1, le=10_000_000)
    key: tuple[KeyField, ...] = ()
    semantic: Semantic | None = None

    def __init__(self, step: "Step | None" = None, /, **fields: object) -> None:
        super().__init__(**(fields if step is None else {"step": step, **fields}))

    def nested(self) -> "Mapping[str, Step]":
        return {"miss": self.step}


class Deadline(Spec):
    """Cancel `step` after `limit`; then `otherwise` answers, or it fails with `DeadlineExceeded`."""

    kind: Literal["deadline"] = "deadline"
    step: "Step"
    limit: Seconds
    otherwise: "Step | None" = None

    def __init__(self, step: "Step | None" = None, /, **fields: object) -> None:
        super().__init__(**(fields if step is None else {"step": step, **fields}))

    def nested(self) -> "Mapping[str, Step]":
        return {"step": self.step, **_otherwise(self.otherwise)}


class Variant(Data):
    """A share of the traffic: its `weight` over the sum of all weights."""

    weight: Number = Field(default=1.0, gt=0, le=1e6)
    step: "Step"


class Split(Spec):
    """Send each job to one of the variants, by weight; copies to the shadows never change or delay the answer.

    `sticky` keeps a user, or a session, at one variant; a job without one is sent at random.
    """

    kind: Literal["split"] = "split"
    variants: dict[Name, Variant] = Field(min_length=1)
    shadow: "dict[Name, Step]" = {}
    sticky: Literal["user", "session"] = "user"

    def nested(self) -> "Mapping[str, Step]":
        variants = {name: variant.step for name, variant in self.variants.items()}
        return {**variants, **{f"shadow.{name}": step for name, step in self.shadow.items()}}


class Http(Spec):
    """One request to a service of the catalog, with an idempotency key that is the same on every attempt.

    `path` may hold `{placeholders}`: a field of the job's data, or `{saga}`, the identity of the saga that runs it.
    The body is the job's data as JSON; the answer's text is the response's body. A status from 200 to 299 is success.
    """

    kind: Literal["http"] = "http"
    service: str
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: str = Field(pattern="^/")
    timeout: Seconds = 10.0
    retry: Retry = Retry()


class SagaStep(Data):
    """A step that changes the world, and how to take it back.

    `undo` must be idempotent, and harmless if `do` never ran: it also runs when nobody knows whether `do` did.
    """

    name: Name
    do: "Step"
    undo: "Step | None" = None


class Saga(Spec):
    """Run the steps in order; when one fails or the run is cancelled, undo in reverse order what may have happened.

    An undo that fails is run again as `undo_retry` says, on top of its own retries, then parked for a person.
    """

    kind: Literal["saga"] = "saga"
    isolate: Literal[True] = True
    undo_retry: Retry = Retry(attempts=10, maximum=300.0)
    steps: tuple[SagaStep, ...] = Field(min_length=1)

    def nested(self) -> "Mapping[str, Step]":
        do = {step.name: step.do for step in self.steps}
        return {**do, **{f"{step.name}.undo": step.undo for step in reversed(self.steps) if step.undo}}

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        _check_unique(step.name for step in self.steps)
        return self


Step = Annotated[
    Call
    | Template
    | Fallback
    | Cascade
    | Route
    | Pipeline
    | FanOut
    | Ensemble
    | Cached
    | Deadline
    | Split
    | Http
    | Saga,
    Field(discriminator="kind"),
]

KINDS: tuple[type[Spec], ...] = get_args(get_args(Step)[0])


def _at_once(steps: Iterable[Any]) -> FanOut:
    return FanOut(branches=_numbered("branch", steps))


def _in_order(steps: Iterable[Any]) -> Pipeline:
    return Pipeline(steps=tuple(PipelineStep(name=name, step=step) for name, step in _numbered("step", steps).items()))


def _numbered(word: str, steps: "Iterable[Step]") -> "dict[str, Step]":
    return {f"{word}{number}": step for number, step in enumerate(steps, 1)}


def _otherwise(step: "Step | None") -> "dict[str, Step]":
    return {} if step is None else {"otherwise": step}


def _check_unique(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two steps are called {name!r}; give each its own name")
        seen.add(name)


def _check_placeholders(where: str, prompt: str | None, known: Iterable[str]) -> None:
    for name in PLACEHOLDER.findall(prompt or ""):
        if name not in known:
            raise unknown(f"placeholder in {where}:", name, known)


_PARTS: tuple[type[Data], ...] = (Intent, Merge, Meta, PipelineStep, SagaStep, Variant)
for spec in (*_PARTS, *KINDS):
    spec.model_rebuild(_types_namespace={"Step": Step})
