"""What is said to a model and what it says back, the same for every provider."""

from typing import Literal

from pydantic import Field, JsonValue

from continuo.data import Data, Int, Number

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


class ToolCall(Data):
    """A model's wish to call a tool. `arguments` is the JSON text as the model wrote it, perhaps invalid."""

    id: str
    name: str
    arguments: str


class Message(Data):
    """One turn. `tool_calls` belong to the assistant; `tool_call_id` says which call a tool's turn answers."""

    role: Literal["user", "assistant", "tool"]
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


class Tool(Data):
    """A tool the model may call; `parameters` is a JSON schema of an object."""

    name: str
    description: str = ""
    parameters: dict[str, JsonValue] = {"type": "object", "properties": {}}


class ModelRequest(Data):
    """One request, whatever model answers it.

    `system` is kept apart from the turns, so that a user's text never mixes with instructions.
    `max_tokens` None is the provider's own limit (4,096 where the protocol demands a number).
    `response_schema` asks for JSON that fits this schema. `rated` asks the model how sure it is.
    """

    messages: tuple[Message, ...] = Field(min_length=1)
    system: str | None = None
    tools: tuple[Tool, ...] = ()
    response_schema: dict[str, JsonValue] | None = None
    max_tokens: Int | None = Field(default=None, gt=0, le=10_000_000)
    temperature: Number | None = Field(default=None, ge=0, le=2)
    stop: tuple[str, ...] = ()
    rated: bool = False

    @property
    def prompt(self) -> str:
        """What the user said last."""
        return next((turn.content for turn in reversed(self.messages) if turn.role == "user"), "")


class Usage(Data):
    """Tokens of one or several calls. `cached_tokens` is the part of `input_tokens` read from a provider's cache."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            estimated=self.estimated or other.estimated,
        )


MOST_TOKENS = 100_000_000
"""More than any answer can have: a count above it is none."""


def plausible(usage: Usage | None) -> Usage | None:
    """The usage that a provider counted, or None where the numbers cannot be: it is unknown then, never a credit."""
    if usage is None:
        return None
    counts = (usage.input_tokens, usage.output_tokens, usage.cached_tokens)
    possible = all(0 <= count <= MOST_TOKENS for count in counts) and usage.cached_tokens <= usage.input_tokens
    return usage if possible else None


def estimated_tokens(*texts: str) -> int:
    """How many tokens the texts are, where nobody has counted: one for every four characters."""
    return -(-sum(map(len, texts)) // 4)


class ModelResponse(Data):
    """A model's answer. `usage` is None only until the client has estimated what the provider did not count.

    `confidence` is 0..1 where the provider itself gives one: the knowledge provider does, and others as the mean
    probability of their tokens, where the request is `rated` and the catalog says that the model can.
    """

    message: Message
    finish_reason: FinishReason
    usage: Usage | None = None
    simulated: bool = False
    confidence: float | None = Field(default=None, ge=0, le=1)
