"""The bodies of requests, as the SDKs send them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue

from continuo.data import Int, Number
from continuo.wire.parsed import Shape

Version = Literal["2023-06-01", "2026-10-21"]
VERSIONS: tuple[Version, ...] = ("2023-06-01", "2026-10-21")
"""Values of the header `anthropic-version`. The later one takes no sampling parameters. Nor does it take documents in
an assistant's turn or citations in a user's, which are taken in neither here."""


def _blocks(value: Any) -> Any:
    """A text is short for one block of text."""
    return [{"type": "text", "text": value}] if isinstance(value, str) else value


class CacheControl(Shape):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class Cacheable(Shape):
    cache_control: CacheControl | None = None


class TextBlock(Cacheable):
    type: Literal["text"]
    text: str
    citations: Annotated[list[JsonValue], Field(max_length=0)] | None = None


class Base64(Shape):
    type: Literal["base64"]
    media_type: Literal["image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf"]
    data: str


class Url(Shape):
    type: Literal["url"]
    url: str


class PlainText(Shape):
    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


class ImageBlock(Cacheable):
    type: Literal["image"]
    source: Annotated[Base64 | Url, Field(discriminator="type")]


class NoCitations(Shape):
    enabled: Literal[False]


class DocumentBlock(Cacheable):
    type: Literal["document"]
    source: Annotated[Base64 | Url | PlainText, Field(discriminator="type")]
    title: str | None = None
    citations: NoCitations | None = None


class ThinkingBlock(Shape):
    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinkingBlock(Shape):
    type: Literal["redacted_thinking"]
    data: str


class DirectCaller(Shape):
    type: Literal["direct"]


class ToolUseBlock(Cacheable):
    type: Literal["tool_use"]
    id: str
    name: str
    input: dict[str, JsonValue]
    caller: DirectCaller | None = None


ResultBlock = Annotated[TextBlock | ImageBlock | DocumentBlock, Field(discriminator="type")]


class ToolResultBlock(Cacheable):
    type: Literal["tool_result"]
    tool_use_id: str
    content: (
        Annotated[list[ResultBlock], BeforeValidator(_blocks, json_schema_input_type=str | list[ResultBlock])] | None
    ) = None
    is_error: bool | None = None


Block = Annotated[
    TextBlock | ImageBlock | DocumentBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock | ToolResultBlock,
    Field(discriminator="type"),
]
Texts = Annotated[list[TextBlock], BeforeValidator(_blocks, json_schema_input_type=str | list[TextBlock])]


class Turn(Shape):
    role: Literal["user", "assistant", "system"]
    content: Annotated[list[Block], BeforeValidator(_blocks, json_schema_input_type=str | list[Block])]


class Tool(Cacheable):
    type: Literal["custom"] | None = None
    name: str
    description: str = ""
    input_schema: dict[str, JsonValue]
    strict: bool | None = None
    # How arguments are cut into pieces, which is as the model's provider cuts them.
    eager_input_streaming: bool | None = None
    defer_loading: Literal[False] | None = None
    allowed_callers: list[Literal["direct"]] | None = None


class AutoChoice(Shape):
    type: Literal["auto", "any"]
    disable_parallel_tool_use: bool | None = None


class NamedChoice(Shape):
    type: Literal["tool"]
    name: str
    disable_parallel_tool_use: bool | None = None


class NoChoice(Shape):
    type: Literal["none"]


class JsonFormat(Shape):
    type: Literal["json_schema"]
    schema_: dict[str, JsonValue] = Field(alias="schema")


class OutputConfig(Shape):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: JsonFormat | None = None


class Metadata(Shape):
    user_id: str | None = None


class Passed(Shape):
    """What only Anthropic has: it is passed through to its models as it is, and other protocols are never sent it."""

    thinking: dict[str, JsonValue] | None = None
    speed: str | None = None
    user_profile_id: str | None = None
    workspace_id: str | None = None


class CountBody(Cacheable, Passed):
    """Of `POST /v1/messages/count_tokens`."""

    model: str
    messages: list[Turn] = Field(min_length=1)
    system: Texts | None = None
    tools: list[Tool] | None = None
    tool_choice: Annotated[AutoChoice | NamedChoice | NoChoice, Field(discriminator="type")] | None = None
    output_config: OutputConfig | None = None
    context_management: dict[str, JsonValue] | None = None


class Body(CountBody):
    """Of `POST /v1/messages`."""

    max_tokens: Int = Field(gt=0)
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: Number | None = Field(default=None, ge=0, le=1)
    top_p: Number | None = Field(default=None, ge=0, le=1)
    top_k: Int | None = Field(default=None, ge=0)
    metadata: Metadata | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    inference_geo: str | None = None
    container: JsonValue = None
    diagnostics: dict[str, JsonValue] | None = None


PASSED = (
    *Passed.model_fields, "context_management", "top_k", "service_tier", "inference_geo", "container", "diagnostics"
)  # fmt: skip
