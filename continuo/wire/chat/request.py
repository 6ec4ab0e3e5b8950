"""From a body to what is submitted at the door."""

from collections.abc import Callable, Iterable
from typing import Any

from continuo.door.request import Request
from continuo.extra import Extra
from continuo.messages import Message, content_of
from continuo.parameters import NamedTool, Parameters, Tool
from continuo.parts import Media, Part, Reasoning, Text
from continuo.wire.accepted import Accepted
from continuo.wire.chat.body import (
    PASSED,
    AssistantTurn,
    AudioPart,
    Body,
    FilePart,
    ImagePart,
    NamedChoice,
    Options,
    RefusalPart,
    Said,
    SchemaFormat,
    SystemTurn,
    TextPart,
    ToolTurn,
    Turn,
    UserTurn,
)
from continuo.wire.errors import WireError, refusing
from continuo.wire.media import Blobs
from continuo.wire.signatures import call_id, call_of


def request(body: Body, *, resolve: Callable[[str], str]) -> Accepted:
    """What is submitted for this body. `resolve` makes a pattern of the model's name, see `Request`.

    Whether the answer is streamed is for the caller. Raises `WireError` for what cannot be taken.
    """
    choices = body.n or 1
    if choices > 1 and body.store:
        message = "store: a completion of several choices is not kept; leave out `store`, or `n`"
        raise WireError(400, message, "store", "unsupported_parameter")
    blobs = Blobs()
    messages, system = conversation(body.messages, blobs)
    with refusing("model"):
        pattern = resolve(body.model)
    with refusing():
        made = Request(
            pattern=pattern,
            messages=messages,
            system=system,
            parameters=parameters(body),
            stream=bool(body.stream),
        )
    return Accepted(made, blobs.content, choices=choices)


def conversation(turns: Iterable[Turn], blobs: Blobs) -> tuple[tuple[Message, ...], str | None]:
    """The turns and the instructions, wherever those stand among the turns, in their order."""
    system: list[str] = []
    messages: list[Message] = []
    for number, turn in enumerate(turns):
        param = f"messages.{number}"
        with refusing(param):
            match turn:
                case SystemTurn():
                    system += [part.text for part in turn.content]
                case UserTurn():
                    parts = tuple(_part(part, blobs, f"{param}.content.{at}") for at, part in enumerate(turn.content))
                    # Several texts stay several: nothing says that one goes on where the other ends.
                    messages.append(Message(role="user", content=content_of(parts) if len(parts) <= 1 else parts))
                case AssistantTurn():
                    messages.append(_assistant(turn))
                case ToolTurn():
                    text, id = "".join(part.text for part in turn.content), call_id(turn.tool_call_id)
                    messages.append(Message(role="tool", content=text, tool_call_id=id))
    if not messages:
        message = "messages: there are instructions alone; add a user's turn"
        raise WireError(400, message, "messages", "invalid_value")
    return tuple(messages), "\n\n".join(system) or None


def _assistant(turn: AssistantTurn) -> Message:
    thought: list[Part] = []
    if turn.reasoning_content:
        thought = [Reasoning(protocol="openai", text=turn.reasoning_content)]
    said = [*_said(turn.content or ()), *([Text(text=turn.refusal)] if turn.refusal else [])]
    calls = tuple(call_of(call.id, call.function.name, call.function.arguments) for call in turn.tool_calls or ())
    return Message(role="assistant", content=content_of([*thought, *said]), tool_calls=calls)


def _said(parts: Iterable[Said]) -> list[Text]:
    return [Text(text=part.refusal if isinstance(part, RefusalPart) else part.text) for part in parts]


def _part(part: TextPart | ImagePart | AudioPart | FilePart, blobs: Blobs, param: str) -> Text | Media:
    match part:
        case TextPart():
            return Text(text=part.text)
        case ImagePart():
            return blobs.given("image", part.image_url.url, "image", f"{param}.image_url.url")
        case AudioPart():
            return blobs.given("audio", part.input_audio.data, "audio", f"{param}.input_audio.data")
        case FilePart():
            return blobs.given("file", part.file.file_data, part.file.filename or "file", f"{param}.file.file_data")


def parameters(body: Options) -> Parameters:
    if body.max_tokens is not None and body.max_completion_tokens is not None:
        message = "max_tokens: it excludes max_completion_tokens; leave one out"
        raise WireError(400, message, "max_tokens", "mutually_exclusive_parameters")
    same = (
        "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "parallel_tool_calls", "reasoning_effort",
        "seed", "temperature", "top_p", "verbosity",
    )  # fmt: skip
    made: dict[str, Any] = {name: getattr(body, name) for name in same}
    # An empty text is what some clients send for none.
    made |= {name: getattr(body, name) or None for name in ("user", "metadata", "prompt_cache_key")}
    made["max_tokens"] = body.max_tokens or body.max_completion_tokens
    made["stop"] = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    made["tools"] = tuple(
        Tool(
            name=tool.name,
            description=tool.description or "",
            strict=tool.strict,
            **({"parameters": tool.parameters} if tool.parameters is not None else {}),
        )
        for tool in (one.function for one in body.tools or ())
    )
    choice = body.tool_choice
    made["tool_choice"] = NamedTool(name=choice.function.name) if isinstance(choice, NamedChoice) else choice
    form = body.response_format
    if isinstance(form, SchemaFormat):
        made |= {"response_schema": form.json_schema.schema_, "strict": form.json_schema.strict}
    elif form and form.type == "json_object":
        made["response_format"] = "json_object"
    if passed := {name: value for name in PASSED if (value := getattr(body, name)) is not None}:
        made["extra"] = Extra(openai=passed)
    return Parameters(**made)
