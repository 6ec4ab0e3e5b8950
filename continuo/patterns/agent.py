"""A model that picks tools in a loop until it is done."""

from collections.abc import Callable, Iterable, Mapping, Set
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, WithJsonSchema, model_validator

from continuo.data import WHEN_SET, Data, Int, Number, Seconds, duration
from continuo.parameters import Tool
from continuo.patterns.base import Spec, check_placeholders
from continuo.patterns.call import Call
from continuo.patterns.http import Http
from continuo.patterns.mcp import Mcp
from continuo.patterns.review import Review
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.messages import ModelRequest
    from continuo.patterns.step import Step

LATE = frozenset({"input", "effect"})
"""What a tool's step can be given beside the arguments: what it is asked, and the key of what it does."""

RESERVED = ("model", "summary")

BY_WHOM = ("reviewers", "group", "due", "remind", "notify", "escalate")
"""The fields of an approval that hold for what is asked of a lost answer too."""

ToolName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,39}$")]
"""As every provider takes it; it is part of paths and ids."""


JsonSchema = Annotated[dict[str, JsonValue], WithJsonSchema({"type": "object", "description": "A JSON schema."})]


def _model(value: object) -> object:
    """`model: mini` is `model: {kind: call, model: mini}`."""
    return {"model": value} if isinstance(value, str) else value


def _review(value: object) -> object:
    """`needs_approval: true` is a review by whoever comes first."""
    if value is True:
        return _any_decision()
    return None if value is False else value


def _any_decision(**fields: Any) -> Review:
    return Review(decisions=("approve", "edit", "reject", "respond"), **fields)


def _of_arguments(review: Review | None) -> Review | None:
    if review is not None and review.step is not None:
        raise ValueError("needs_approval shows the arguments of the call, and no answer of a step; leave step out")
    return review


Approval = Annotated[
    Review | None, AfterValidator(_of_arguments), BeforeValidator(_review, json_schema_input_type=Review | bool)
]

Label = Literal["reads_secrets", "writes_outside", "spends"]
"""What a tool does: it tells what not everybody may know; it hands on what it is given to where others read it; or it
uses up what cannot be had back: money, a booking, somebody's name below a message."""

RISKY = frozenset({"writes_outside", "spends"})

TOLD_BY_OTHERS = (
    "The agent has read data from outside, which may have made it do this. May the tool {} be called with these"
    " arguments?"
)

MAY_BE_CALLED = "May the tool {} be called with these arguments?"

LOST = (
    "The tool {} was called with these arguments, and its answer was lost: nobody knows whether it was done. Approve to"
    " call it again, respond with what it came to, or reject, and the model is told that nobody knows."
)


def _asking(review: Review, question: str) -> Review:
    """The review with this question, unless it has its own."""
    if review.question != Review.model_fields["question"].default:
        return review
    return review.model_copy(update={"question": question})


ModelCall = Annotated[Call, BeforeValidator(_model, json_schema_input_type=Call | str)]


class AgentTool(Data):
    """A step that the model may run. What it answers, or why it failed, goes back to the model.

    `parameters` is the JSON schema of its arguments, an object; without it those of a `python` step are the parameters
    of its function, and any other step takes one text, `input`. The arguments are the step's data, and `prompt`, which
    may hold `{placeholders}` for them, is what it is asked; by default that is the one text among them, else all of
    them as JSON. A tool that is not `idempotent` is run once: where nobody knows whether it ran, a person
    is asked. With `needs_approval`, true or the fields of a review, a person sees the arguments first, and may change
    them, answer in place of the tool, or reject the call. So it is as well for a call that its `labels` make dangerous
    once the agent has read what is `untrusted`: by default what an `http` or `mcp` step answers, wherever it stands.
    """

    description: str = Field(default="", max_length=10_000)
    parameters: JsonSchema | None = None
    prompt: Annotated[str | None, WHEN_SET] = Field(default=None, min_length=1)
    step: "Step"
    idempotent: bool = True
    needs_approval: Approval = None
    labels: Annotated[tuple[Label, ...], WHEN_SET] = ()
    untrusted: Annotated[bool | None, WHEN_SET] = None

    def reviews(self, name: str) -> dict[str, Review]:
        """Those of the tool of this name, by their names among the agent's steps."""
        approval = self.needs_approval
        own = {} if approval is None else {f"{name}.approval": _asking(approval, MAY_BE_CALLED.format(name))}
        if approval is None and RISKY & {*self.labels}:
            own[f"{name}.privilege"] = _any_decision(question=TOLD_BY_OTHERS.format(name))
        if self.idempotent:
            return own
        others = Review() if approval is None else approval
        kept = {field: getattr(others, field) for field in BY_WHOM}
        lost = Review(question=LOST.format(name), decisions=("approve", "reject", "respond"), **kept)
        return {**own, f"{name}.lost": lost}

    @property
    def from_outside(self) -> bool:
        """Whether others have a say in what it answers."""
        return _from_outside(self.step) if self.untrusted is None else self.untrusted

    @property
    def tells_secrets(self) -> bool:
        return "reads_secrets" in self.labels or _tells_secrets(self.step)

    @property
    def takes(self) -> dict[str, JsonValue]:
        if self.parameters is not None:
            return self.parameters
        return {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}

    @property
    def arguments(self) -> Set[str]:
        """The names of its arguments."""
        properties = self.takes.get("properties")
        return properties.keys() if isinstance(properties, dict) else frozenset()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.parameters is not None and self.parameters.get("type") != "object":
            raise ValueError("parameters is no schema of an object; write `type: object` and its `properties`")
        if self.prompt is not None and self.parameters is not None:
            check_placeholders("the prompt of a tool", self.prompt, self.arguments)
        if not self.idempotent and (self.step.nested() or isinstance(self.step, Call)):
            raise ValueError("idempotent is about one effect, as of a step python or http; leave it out here")
        return self


class AgentServer(Data):
    """Which `tools` of an MCP server an agent may use, by default all that the catalog allows of it, and whether each
    call `needs_approval`. `labels` are those of its tools, by their names; what they answer is `untrusted`."""

    tools: tuple[str, ...] | None = Field(default=None, min_length=1)
    needs_approval: Approval = None
    labels: Annotated[dict[str, tuple[Label, ...]], WHEN_SET] = {}
    untrusted: Annotated[bool, Field(exclude_if=lambda value: value)] = True

    @model_validator(mode="after")
    def _labels_what_it_uses(self) -> Self:
        for name in self.labels:
            if self.tools is not None and name not in self.tools:
                raise ValueError(f"labels names {name!r}, which is none of its tools; add it there or leave it out")
        return self


def _from_outside(step: "Step") -> bool:
    if isinstance(step, Agent):
        servers = any(server.untrusted for server in step.servers.values())
        return servers or any(tool.from_outside for tool in step.tools.values())
    return isinstance(step, Http | Mcp) or any(map(_from_outside, step.nested().values()))


def _tells_secrets(step: "Step") -> bool:
    if isinstance(step, Agent):
        served = {label for server in step.servers.values() for labels in server.labels.values() for label in labels}
        return "reads_secrets" in served or any(tool.tells_secrets for tool in step.tools.values())
    return any(map(_tells_secrets, step.nested().values()))


class Compaction(Data):
    """Once a model reads more than `tokens`, the oldest turns are left out of what it is shown; what it was first asked
    and the last `keep` turns stay. `summary` sums up what is left out: a cheap model as a rule.

    A turn is an answer of the model with the results of the tools that it called.
    """

    tokens: Int = Field(default=100_000, ge=100, le=10_000_000)
    keep: Int = Field(default=10, ge=1, le=1000)
    summary: ModelCall | None = None


class Agent(Spec):
    """Let a model pick tools until it answers without calling any.

    Tools that are called at once run at once. `servers` are MCP servers of the catalog, whose tools it has too, as they
    list them when the run begins. `output` is the JSON schema that the answer must fit; one that does not
    is sent back `repairs` times at most. Before each call to a model or a tool the limits are looked at: so many
    `turns` (calls of the model), `calls` of tools, USD (where prices are known), and `seconds` without those in which
    it only waits for a person. One that is reached ends the run with what there is, as a partial outcome.
    """

    kind: Literal["agent"] = "agent"
    isolate: Literal[True] = True
    model: ModelCall
    system: str | None = None
    tools: "dict[ToolName, AgentTool]" = {}
    servers: dict[str, AgentServer] = {}
    output: JsonSchema | None = None
    repairs: Int = Field(default=1, ge=0, le=10)
    turns: Int = Field(default=50, ge=1, le=100_000)
    calls: Int = Field(default=200, ge=1, le=1_000_000)
    cost_usd: Number | None = Field(default=1.0, gt=0, le=1e6)
    seconds: Seconds = 3600.0
    context: Compaction = Compaction()

    def nested(self) -> "Mapping[str, Step]":
        summary = {"summary": self.context.summary} if self.context.summary else {}
        tools: dict[str, Step] = {}
        for name, tool in self.tools.items():
            tools |= {name: tool.step, **tool.reviews(name)}
        return {"model": self.model, **summary, **tools}

    @property
    def offered(self) -> tuple[Tool, ...]:
        """The tools as a model is told of them."""
        return tuple(
            Tool(name=name, description=tool.description, parameters=tool.takes) for name, tool in self.tools.items()
        )

    def answering(self) -> "Iterable[str]":
        # What must fit a schema may be sent back.
        return ("model",) if self.output is None else ()

    def given(self) -> "Iterable[Step]":
        return (self.model,)

    def passed(self, name: str, request: "ModelRequest") -> "ModelRequest":
        plain = request.as_text()
        if name != "model":
            return plain
        # Gemini before 3 takes no schema of an answer beside tools: with these the model is told it in words.
        schema = None if self.tools or self.servers else self.output or request.response_schema
        return plain.model_copy(update={"tools": self.offered, "response_schema": schema})

    def written(self, name: str) -> Set[str] | None:
        return self.tools[name].arguments | LATE if name in self.tools else None

    def worst(self, estimator: Estimator) -> Estimate:
        model, tool = estimator.all([self.model]), estimator.any(tool.step for tool in self.tools.values())
        every = model.times(self.turns) + tool.times(self.calls if self.tools else 0)
        cost = every.cost_usd
        if cost is not None and self.cost_usd is not None and model.cost_usd is not None and tool.cost_usd is not None:
            # The limits are looked at before each call.
            cost = min(cost, self.cost_usd + max(model.cost_usd, tool.cost_usd))
        seconds = min(
            model.seconds * self.turns + tool.seconds * self.calls, self.seconds + model.seconds + tool.seconds
        )
        return every.model_copy(update={"cost_usd": cost, "seconds": seconds})

    def about(self, price: Callable[[str], str]) -> list[str]:
        money = [f"${self.cost_usd:g}"] if self.cost_usd else []
        limits = [f"{self.turns} turns", f"{self.calls} calls", *money, f"{duration(self.seconds)}"]
        servers = [f"those of {', '.join(self.servers)}"] if self.servers else []
        return [f"{len(self.tools)} tools", *servers, f"at most {', '.join(limits)}"]

    @model_validator(mode="after")
    def _names_are_free(self) -> Self:
        for name in RESERVED:
            if name in self.tools:
                raise ValueError(f"{name!r} names a part of the agent itself; choose another name for the tool")
        return self
