"""The body of a request, as the SDKs send it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue

from continuo.data import Int, Number
from continuo.parameters import Effort
from continuo.wire.parsed import Shape


class TextPart(Shape):
    type: Literal["text"]
    text: str


class RefusalPart(Shape):
    type: Literal["refusal"]
    refusal: str


class ImageUrl(Shape):
    """A URL, or the content itself as `data:…;base64,…`."""

    url: str
    detail: Literal["auto"] | None = None


class ImagePart(Shape):
    type: Literal["image_url"]
    image_url: ImageUrl


class Sound(Shape):
    data: str
    format: Literal["mp3", "wav"]


class AudioPart(Shape):
    type: Literal["input_audio"]
    input_audio: Sound


class FileContent(Shape):
    file_data: str
    filename: str | None = None


class FilePart(Shape):
    type: Literal["file"]
    file: FileContent


def _text(value: Any) -> Any:
    return [{"type": "text", "text": value}] if isinstance(value, str) else value


Texts = Annotated[list[TextPart], BeforeValidator(_text, json_schema_input_type=str | list[TextPart])]
UserPart = Annotated[TextPart | ImagePart | AudioPart | FilePart, Field(discriminator="type")]
Said = Annotated[TextPart | RefusalPart, Field(discriminator="type")]


class SystemTurn(Shape):
    role: Literal["system", "developer"]
    content: Texts
    name: str | None = None


class UserTurn(Shape):
    role: Literal["user"]
    content: Annotated[list[UserPart], BeforeValidator(_text, json_schema_input_type=str | list[UserPart])]
    name: str | None = None


class CalledFunction(Shape):
    name: str
    arguments: str


class Call(Shape):
    id: str
    type: Literal["function"]
    function: CalledFunction


class AssistantTurn(Shape):
    """Nulls are what the SDKs give back of an answer that they got."""

    role: Literal["assistant"]
    content: Annotated[list[Said] | None, BeforeValidator(_text, json_schema_input_type=str | list[Said] | None)] = None
    refusal: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[Call] | None = None
    name: str | None = None
    annotations: list[JsonValue] | None = Field(default=None, max_length=0)
    audio: None = None
    function_call: None = None


class ToolTurn(Shape):
    role: Literal["tool"]
    content: Texts
    tool_call_id: str


Turn = Annotated[SystemTurn | UserTurn | AssistantTurn | ToolTurn, Field(discriminator="role")]


class Function(Shape):
    name: str
    description: str | None = None
    parameters: dict[str, JsonValue] | None = None
    strict: bool | None = None


class FunctionTool(Shape):
    type: Literal["function"]
    function: Function


class FunctionName(Shape):
    name: str


class NamedChoice(Shape):
    type: Literal["function"]
    function: FunctionName


class PlainFormat(Shape):
    type: Literal["text", "json_object"]


class JsonSchema(Shape):
    name: str
    description: str | None = None
    schema_: dict[str, JsonValue] = Field(default={}, alias="schema")
    strict: bool | None = None


class SchemaFormat(Shape):
    type: Literal["json_schema"]
    json_schema: JsonSchema


class StreamOptions(Shape):
    """Padding against those who read the lengths of encrypted packets is not made."""

    include_usage: bool | None = None
    include_obfuscation: Literal[False] | None = None


MOST_CHOICES = 16
"""Of one request: each is a call of its own."""


class Options(Shape):
    """What a body has beside the turns and who is to answer them."""

    frequency_penalty: Number | None = Field(default=None, ge=-2, le=2)
    logit_bias: dict[str, Int] | None = None
    logprobs: bool | None = None
    max_completion_tokens: Int | None = Field(default=None, gt=0)
    max_tokens: Int | None = Field(default=None, gt=0)
    metadata: dict[str, str] | None = None
    modalities: list[Literal["text"]] | None = None
    n: Int | None = Field(default=None, ge=1, le=MOST_CHOICES)
    parallel_tool_calls: bool | None = None
    prediction: JsonValue | None = None
    presence_penalty: Number | None = Field(default=None, ge=-2, le=2)
    prompt_cache_key: str | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    reasoning_effort: Effort | None = None
    response_format: Annotated[PlainFormat | SchemaFormat, Field(discriminator="type")] | None = None
    safety_identifier: str | None = None
    seed: Int | None = None
    service_tier: str | None = None
    stop: str | list[str] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Number | None = Field(default=None, ge=0, le=2)
    tool_choice: Literal["none", "auto", "required"] | NamedChoice | None = None
    tools: list[FunctionTool] | None = None
    top_logprobs: Int | None = Field(default=None, ge=0, le=20)
    top_p: Number | None = Field(default=None, ge=0, le=1)
    user: str | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Body(Options):
    """Of `POST /v1/chat/completions`."""

    model: str
    messages: list[Turn] = Field(min_length=1)


PASSED = ("logit_bias", "prediction", "prompt_cache_retention", "safety_identifier", "service_tier")
"""What only OpenAI has: it is passed through to its models, and other protocols are never sent it."""
