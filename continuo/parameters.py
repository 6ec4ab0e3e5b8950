"""How a request is to be answered: what callers send beside the messages, the same for every provider."""

from collections.abc import Set
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, JsonValue, model_validator

from continuo.data import WHEN_SET, Data, Int, Number, is_set
from continuo.extra import Extra

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Seed = Annotated[Int, Field(ge=-(2**31), le=2**31 - 1)]
"""Of 32 bits, which is what every protocol that has seeds takes."""

Demand = Literal[
    "tools", "tool_choice", "parallel_tool_calls", "response_schema", "response_format", "stop", "seed", "logprobs",
    "embed", "dimensions", "tokens", "segments",
]  # fmt: skip
"""What makes another answer: a model that does not take it cannot answer the request."""

Tuning = Literal["temperature", "top_p", "frequency_penalty", "presence_penalty", "reasoning_effort"]
"""How the answer is written: a model that does not take it can still answer."""

Hint = Literal["verbosity", "metadata", "user", "cache_control", "prompt_cache_key"]
"""What a provider may follow, or not."""

Parameter = Demand | Tuning | Hint

_Label = Annotated[str, Field(max_length=64)]
_Value = Annotated[str, Field(max_length=512)]

UNSEEN: frozenset[str] = frozenset({"metadata", "user", "cache_control", "prompt_cache_key"})
"""The hints on which no answer depends."""


class Tool(Data):
    """A tool the model may call; `parameters` is a JSON schema of an object, which `strict` holds the model to."""

    name: str
    description: str = ""
    parameters: dict[str, JsonValue] = {"type": "object", "properties": {}}
    strict: Annotated[bool | None, WHEN_SET] = None


class NamedTool(Data):
    """The tool that must be called."""

    name: str


class Parameters(Data):
    """How a request is to be answered. What is None or empty is left to the pattern's step, then to the provider.

    `tool_choice`: *auto* lets the model choose, *none* forbids calls, *required* demands one, `NamedTool` that one.
    `response_schema` asks for JSON that fits this schema, `strict` (unless False) for no other; `response_format` for
    any JSON object. `max_tokens` None is the provider's own limit (4,096 or more, by the effort, where the protocol
    demands a number); thoughts count as well. `temperature` is 0..2, `top_p` 0..1, a penalty -2..2. `n` is 1: an
    outcome carries one answer. `top_logprobs` is how many tokens each place of `logprobs` tells. `user` and `metadata`
    are for the provider's own records. `cache_control` is how long Anthropic shall keep the prompt, `prompt_cache_key`
    tells OpenAI which prompts begin alike. `extra` is what only one protocol has.

    `embed` asks for no answer but for the embedding of each turn, of so many `dimensions` (default: the model's); with
    `tokens` each turn is a JSON list of the model's own tokens, by their numbers. `segments` asks a model that
    transcribes when each part of an audio was said.
    """

    tools: tuple[Tool, ...] = ()
    tool_choice: Annotated[Literal["auto", "none", "required"] | NamedTool | None, WHEN_SET] = None
    parallel_tool_calls: Annotated[bool | None, WHEN_SET] = None
    response_schema: dict[str, JsonValue] | None = None
    strict: Annotated[bool | None, WHEN_SET] = None
    response_format: Annotated[Literal["json_object"] | None, WHEN_SET] = None
    max_tokens: Int | None = Field(default=None, gt=0, le=10_000_000)
    temperature: Number | None = Field(default=None, ge=0, le=2)
    top_p: Annotated[Number | None, WHEN_SET] = Field(default=None, ge=0, le=1)
    stop: tuple[str, ...] = ()
    seed: Annotated[Seed | None, WHEN_SET] = None
    n: Annotated[Int | None, WHEN_SET] = Field(default=None, ge=1, le=128)
    frequency_penalty: Annotated[Number | None, WHEN_SET] = Field(default=None, ge=-2, le=2)
    presence_penalty: Annotated[Number | None, WHEN_SET] = Field(default=None, ge=-2, le=2)
    logprobs: Annotated[bool | None, WHEN_SET] = None
    top_logprobs: Annotated[Int | None, WHEN_SET] = Field(default=None, ge=0, le=20)
    reasoning_effort: Annotated[Effort | None, WHEN_SET] = None
    verbosity: Annotated[Literal["low", "medium", "high"] | None, WHEN_SET] = None
    metadata: Annotated[dict[_Label, _Value] | None, WHEN_SET] = Field(default=None, max_length=16)
    user: Annotated[str | None, WHEN_SET] = Field(default=None, min_length=1, max_length=256)
    cache_control: Annotated[Literal["5m", "1h"] | None, WHEN_SET] = None
    prompt_cache_key: Annotated[str | None, WHEN_SET] = Field(default=None, min_length=1, max_length=64)
    extra: Annotated[Extra | None, WHEN_SET] = None
    embed: Annotated[Literal[True] | None, WHEN_SET] = None
    dimensions: Annotated[Int | None, WHEN_SET] = Field(default=None, ge=1, le=100_000)
    tokens: Annotated[Literal[True] | None, WHEN_SET] = None
    segments: Annotated[Literal[True] | None, WHEN_SET] = None

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.n not in (None, 1):
            raise ValueError(f"n is {self.n}, and an outcome carries one answer; leave it out and ask again instead")
        if self.tool_choice == "required" and not self.tools:
            raise ValueError("tool_choice demands a call, and there are no tools; give some")
        if isinstance(self.tool_choice, NamedTool) and self.tool_choice.name not in (tool.name for tool in self.tools):
            raise ValueError(f"tool_choice names {self.tool_choice.name[:80]!r}, which is none of the tools; add it")
        if self.response_format and self.response_schema is not None:
            raise ValueError("response_format and response_schema exclude each other; leave one out")
        if self.strict is not None and self.response_schema is None:
            raise ValueError("strict is about a response_schema, and there is none; give one")
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("top_logprobs needs logprobs; set that to true as well")
        if self.dimensions is not None and not self.embed:
            raise ValueError("dimensions are those of an embedding; set embed to true as well")
        if self.tokens and not self.embed:
            raise ValueError("tokens are taken to be embedded alone; set embed to true as well")
        return self

    @property
    def demands(self) -> frozenset[Demand]:
        """What a model must take to answer: choices that every model makes by itself, as *auto*, are none."""
        idle = {"tool_choice": ("auto", "none"), "parallel_tool_calls": (True,), "logprobs": (False,)}
        return frozenset(name for name in get_args(Demand) if self._has(name, idle.get(name, ())))

    @property
    def tuned(self) -> frozenset[Tuning]:
        return frozenset(name for name in get_args(Tuning) if self._has(name))

    def _has(self, name: str, idle: tuple[object, ...] = ()) -> bool:
        value = getattr(self, name)
        return is_set(value) and value not in idle

    def as_text(self) -> Self:
        """The same with nothing that makes the answer another thing than a whole text of its own."""
        names = {*get_args(Demand), "strict", "top_logprobs"} - {"seed"}
        return self.model_copy(update={name: type(self).model_fields[name].default for name in names})

    def without(self, refused: Set[Parameter]) -> Self:
        """The same without those of the tuning and the hints that are `refused`."""
        return self.model_copy(update=dict.fromkeys(refused - {*get_args(Demand)}))
