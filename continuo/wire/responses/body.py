"""The bodies of requests, as the SDKs send them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue

from continuo.data import Int, Number
from continuo.parameters import Effort
from continuo.wire.parsed import Shape

State = Literal["in_progress", "completed", "incomplete"] | None


class InputText(Shape):
    type: Literal["input_text"]
    text: str


class OutputText(Shape):
    type: Literal["output_text"]
    text: str
    # What a service found or measured about a text that it wrote: no model reads it again.
    annotations: list[JsonValue] | None = None
    logprobs: list[JsonValue] | None = None


class Refusal(Shape):
    type: Literal["refusal"]
    refusal: str


class InputImage(Shape):
    """`image_url` is a URL or the content itself, as `data:…;base64,…`."""

    type: Literal["input_image"]
    image_url: str
    detail: Literal["auto"] | None = None


class InputFile(Shape):
    type: Literal["input_file"]
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    detail: Literal["auto"] | None = None


class Sound(Shape):
    data: str
    format: Literal["mp3", "wav"]


class InputAudio(Shape):
    type: Literal["input_audio"]
    input_audio: Sound


def _text(value: Any) -> Any:
    return [{"type": "input_text", "text": value}] if isinstance(value, str) else value


Content = Annotated[InputText | OutputText | Refusal | InputImage | InputFile | InputAudio, Field(discriminator="type")]
Contents = Annotated[list[Content], BeforeValidator(_text, json_schema_input_type=str | list[Content])]


class MessageItem(Shape):
    type: Literal["message"]
    role: Literal["user", "assistant", "system", "developer"]
    content: Contents
    id: str | None = None
    status: State = None
    phase: Literal["commentary", "final_answer"] | None = None


class DirectCaller(Shape):
    type: Literal["direct"]


class CallItem(Shape):
    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str
    id: str | None = None
    status: State = None
    caller: DirectCaller | None = None


class ResultItem(Shape):
    type: Literal["function_call_output"]
    call_id: str
    output: Contents
    id: str | None = None
    status: State = None
    caller: DirectCaller | None = None


class SummaryText(Shape):
    type: Literal["summary_text"]
    text: str


class ReasoningText(Shape):
    type: Literal["reasoning_text"]
    text: str


class ReasoningItem(Shape):
    type: Literal["reasoning"]
    id: str | None = None
    summary: list[SummaryText]
    content: list[ReasoningText] | None = None
    encrypted_content: str | None = None
    status: State = None


Item = Annotated[MessageItem | CallItem | ResultItem | ReasoningItem, Field(discriminator="type")]


def typed(value: Any) -> Any:
    """A text is short for the user's message, and what has a role need not say that it is a message."""
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": value}]
    if not isinstance(value, list):
        return value
    return [{"type": "message", **item} if isinstance(item, dict) and "role" in item else item for item in value]


class FunctionTool(Shape):
    type: Literal["function"]
    name: str
    description: str | None = None
    parameters: dict[str, JsonValue] | None = None
    strict: bool | None = None
    defer_loading: Literal[False] | None = None
    allowed_callers: list[Literal["direct"]] | None = None


class NamedChoice(Shape):
    type: Literal["function"]
    name: str


class Reasoning(Shape):
    """A summary is told where the provider tells one, however long."""

    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None


class PlainFormat(Shape):
    type: Literal["text", "json_object"]


class SchemaFormat(Shape):
    type: Literal["json_schema"]
    name: str
    schema_: dict[str, JsonValue] = Field(alias="schema")
    strict: bool | None = None


class TextConfig(Shape):
    format: Annotated[PlainFormat | SchemaFormat, Field(discriminator="type")] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Conversation(Shape):
    id: str


def _conversation(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


class StreamOptions(Shape):
    # Padding against those who read the lengths of encrypted packets.
    include_obfuscation: Literal[False] | None = None


class CountBody(Shape):
    """Of `POST /v1/responses/input_tokens`."""

    model: str
    input: Annotated[list[Item], BeforeValidator(typed, json_schema_input_type=str | list[Item])] = []
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: (
        Annotated[Conversation, BeforeValidator(_conversation, json_schema_input_type=str | Conversation)] | None
    ) = None
    tools: list[FunctionTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    text: TextConfig | None = None
    truncation: Literal["disabled"] | None = None


class Body(CountBody):
    """Of `POST /v1/responses`."""

    background: bool | None = None
    include: list[Literal["reasoning.encrypted_content", "message.output_text.logprobs"]] | None = None
    max_output_tokens: Int | None = Field(default=None, gt=0)
    metadata: dict[str, str] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Number | None = Field(default=None, ge=0, le=2)
    top_logprobs: Int | None = Field(default=None, ge=0, le=20)
    top_p: Number | None = Field(default=None, ge=0, le=1)
    user: str | None = None


PASSED = ("prompt_cache_retention", "safety_identifier", "service_tier")
"""What only OpenAI has: it is passed through to its models, and other protocols are never sent it."""
