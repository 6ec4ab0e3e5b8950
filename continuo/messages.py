"""What is said to a model and what it says back, the same for every provider."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, SerializerFunctionWrapHandler, model_serializer, model_validator

from continuo.data import WHEN_SET, Data, Int
from continuo.parameters import Parameters
from continuo.parts import Audio, File, Image, Input, Media, Part, Reasoning, Text

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


class ToolCall(Data):
    """A model's wish to call a tool. `arguments` is the JSON text as the model wrote it, perhaps invalid.

    `signature` is Gemini's, of the thought that led to the call; Gemini 3 and later take no call back without it.
    """

    id: str
    name: str
    arguments: str
    signature: str | None = None

    @model_serializer(mode="wrap")
    def _unsigned_as_ever(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A key of the cache is made of this JSON: a call without a signature keeps the one it always had.
        written: dict[str, Any] = write(self)
        if self.signature is None:
            written.pop("signature", None)
        return written


class Message(Data):
    """One turn. `tool_calls` belong to the assistant; `tool_call_id` says which call a tool's turn answers.

    `content` is a text, or parts: a user's may be text and media, the assistant's text and reasoning.
    """

    role: Literal["user", "assistant", "tool"]
    content: str | Annotated[tuple[Part, ...], Field(min_length=1)] = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    @model_validator(mode="after")
    def _parts_fit_the_role(self) -> Self:
        for part in self.parts:
            if isinstance(part, Reasoning) and self.role != "assistant":
                raise ValueError(f"a {self.role}'s turn holds reasoning; only the assistant's can")
            if isinstance(part, Image | Audio | File) and self.role != "user":
                raise ValueError(f"the turn of role {self.role!r} holds a part {part.kind!r}; only a user's can")
        return self

    @property
    def parts(self) -> tuple[Part, ...]:
        """The content as parts; an empty text is none."""
        if isinstance(self.content, str):
            return (Text(text=self.content),) if self.content else ()
        return self.content

    @property
    def text(self) -> str:
        """The text parts alone: a user's with an empty line between them, an answer's as they follow each other."""
        between = "\n\n" if self.role == "user" else ""
        return between.join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def media(self) -> tuple[Media, ...]:
        return tuple(part for part in self.parts if isinstance(part, Image | Audio | File))

    def saying(self, text: str) -> "Message":
        """The same turn with `text` in place of its text; its reasoning, which may be signed, stays."""
        if text == self.text:
            return self
        reasoning = [part for part in self.parts if isinstance(part, Reasoning)]
        return self.model_copy(update={"content": content_of([*reasoning, Text(text=text)])})


def content_of(parts: Iterable[Part]) -> str | tuple[Part, ...]:
    """What `Message.content` is for these parts: texts that follow each other are one, and text alone is a string."""
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, Text) and joined and isinstance(joined[-1], Text):
            joined[-1] = Text(text=joined[-1].text + part.text)
        elif not isinstance(part, Text) or part.text:
            joined.append(part)
    if not joined:
        return ""
    return joined[0].text if len(joined) == 1 and isinstance(joined[0], Text) else tuple(joined)


class Earlier(Data):
    """What was said before a request's own messages, kept as turns of which each names the one before it.

    It is the turn of this `digest` with those before it, at most `last` of them all; `opening` is the digest of what
    stands before these in place of older ones.
    """

    digest: str
    last: Int | None = Field(default=None, ge=1, le=10_000_000)
    opening: Annotated[str | None, WHEN_SET] = None


class ModelRequest(Parameters):
    """One request, whatever model answers it.

    `system` is kept apart from the turns, so that a user's text never mixes with instructions. `rated` asks the model
    how sure it is. With what was said `earlier` there need be no messages.
    """

    messages: tuple[Message, ...]
    system: str | None = None
    rated: bool = False
    earlier: Annotated[Earlier | None, WHEN_SET] = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.messages and self.earlier is None:
            raise ValueError("there are no messages; give at least one")
        return self

    @property
    def prompt(self) -> str:
        """What the user said last: of a message with parts, its text."""
        return self.last_from_user.text if self.last_from_user else ""

    @property
    def last_from_user(self) -> Message | None:
        return next((turn for turn in reversed(self.messages) if turn.role == "user"), None)

    @property
    def media(self) -> tuple[Media, ...]:
        return tuple(part for turn in self.messages for part in turn.media)

    @property
    def inputs(self) -> frozenset[Input]:
        """What a model must take to answer: text always."""
        return frozenset({"text", *(part.kind for part in self.media)})


class Usage(Data):
    """Tokens of one or several calls. `cached_tokens` is the part of `input_tokens` read from a provider's cache, and
    `written_tokens` the part written into it, of which `written_1h_tokens` stay for an hour and the others 5 minutes.

    `seconds` are of audio, where the provider counts those and no tokens.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    written_tokens: int = Field(default=0, exclude_if=lambda value: not value)
    written_1h_tokens: int = Field(default=0, exclude_if=lambda value: not value)
    estimated: bool = False
    seconds: float = Field(default=0.0, exclude_if=lambda value: not value)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            written_tokens=self.written_tokens + other.written_tokens,
            written_1h_tokens=self.written_1h_tokens + other.written_1h_tokens,
            estimated=self.estimated or other.estimated,
            seconds=self.seconds + other.seconds,
        )


MOST_TOKENS = 100_000_000
"""More than any answer can have: a count above it is none."""


def plausible(usage: Usage | None) -> Usage | None:
    """The usage that a provider counted, or None where the numbers cannot be: it is unknown then, never a credit."""
    if usage is None:
        return None
    cached, written = usage.cached_tokens, usage.written_tokens
    counts = (usage.input_tokens, usage.output_tokens, cached, written, usage.written_1h_tokens)
    possible = (
        all(0 <= count <= MOST_TOKENS for count in (*counts, usage.seconds))
        and cached + written <= usage.input_tokens
        and usage.written_1h_tokens <= written
    )
    return usage if possible else None


def estimated_tokens(*texts: str) -> int:
    """How many tokens the texts are, where nobody has counted: one for every four characters."""
    return -(-sum(map(len, texts)) // 4)


class Token(Data):
    """A token of an answer with the natural logarithm of its probability; `top` are the likeliest in its place."""

    text: str
    logprob: float
    top: Annotated[tuple[tuple[str, float], ...], WHEN_SET] = ()


class Segment(Data):
    """A part of what was said, and when, in seconds. `measured` is what its service tells of it beside that."""

    start: float
    end: float
    text: str
    measured: dict[str, JsonValue] = {}


class Transcript(Data):
    """What was said in an audio of so many seconds, part by part; `language` as its service calls it."""

    language: str
    duration: float
    segments: tuple[Segment, ...]


class ModelResponse(Data):
    """A model's answer. `usage` is None only until the client has estimated what the provider did not count.

    `confidence` is 0..1 where the provider itself gives one: the knowledge provider does, and others as the mean
    probability of their tokens, where the request is `rated` and the catalog says that the model can. `logprobs` are
    those tokens. `transcript` is there where an audio was transcribed part by part.
    """

    message: Message
    finish_reason: FinishReason
    usage: Usage | None = None
    simulated: bool = False
    confidence: float | None = Field(default=None, ge=0, le=1)
    logprobs: tuple[Token, ...] = ()
    transcript: Transcript | None = None
