"""From a body to what is submitted at the door."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from continuo.door.request import Request
from continuo.extra import BETAS, Extra
from continuo.messages import Message, ModelRequest, ToolCall, content_of, estimated_tokens
from continuo.parameters import NamedTool, Parameters, Tool
from continuo.parts import Media, Part, Text
from continuo.protection.reservation import read_tokens
from continuo.wire.accepted import Accepted
from continuo.wire.anthropic.body import (
    PASSED,
    Body,
    Cacheable,
    CountBody,
    DocumentBlock,
    ImageBlock,
    NamedChoice,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    Turn,
    Version,
)
from continuo.wire.errors import WireError, refusing
from continuo.wire.media import NOTHING_FETCHED, Blobs
from continuo.wire.signatures import call_id, call_of, thought

_SAMPLING = ("temperature", "top_p", "top_k")


def request(
    body: Body,
    *,
    resolve: Callable[[str], str],
    version: Version = "2026-10-21",
    betas: Sequence[str] = (),
    fetched: Mapping[str, bytes] = NOTHING_FETCHED,
) -> Accepted:
    """What is submitted for this body. `resolve` makes a pattern of the model's name, see `Request`.

    `version` and `betas` are of the headers `anthropic-version` and `anthropic-beta`; `fetched` has
    the content of URLs. Raises `WireError` for what cannot be taken.
    """
    _fits(body, version)
    blobs = Blobs(fetched)
    messages, system = _conversation(body, blobs)
    with refusing("model"):
        pattern = resolve(body.model)
    with refusing():
        parameters = Parameters(**_parameters(body), **_sampling(body), extra=_extra(body, betas))
        made = Request(
            pattern=pattern,
            messages=messages,
            system=system,
            parameters=parameters,
            stream=bool(body.stream),
        )
    return Accepted(made, blobs.content)


def input_tokens(body: CountBody, *, fetched: Mapping[str, bytes] = NOTHING_FETCHED) -> dict[str, int]:
    """The answer to a question for tokens, which are estimated: no tokenizer of any model is here."""
    messages, system = _conversation(body, Blobs(fetched))
    tools = [tool.model_dump_json(exclude_none=True) for tool in body.tools or ()]
    with refusing():
        read = ModelRequest(messages=messages, system=system)
    return {"input_tokens": read_tokens(read) + estimated_tokens(*tools)}


def urls(body: CountBody) -> Iterator[str]:
    """Addresses of media, which the caller may fetch."""
    for block in (block for turn in body.messages for block in turn.content):
        inner = block.content or () if isinstance(block, ToolResultBlock) else (block,)
        for one in inner:
            if isinstance(one, ImageBlock | DocumentBlock) and one.source.type == "url":
                yield one.source.url


def _fits(body: Body, version: Version) -> None:
    """Raise `WireError` for what this version of the API has no more."""
    if version == "2023-06-01":
        return
    for name in _SAMPLING:
        if getattr(body, name) is not None:
            message = f"{name}: API version {version} takes no sampling parameters; leave it out"
            raise WireError(400, message, name, "unsupported_parameter")


def _conversation(body: CountBody, blobs: Blobs) -> tuple[tuple[Message, ...], str | None]:
    """The turns and the instructions; those among the turns are added to the others, in their order."""
    system = [block.text for block in body.system or ()]
    messages: list[Message] = []
    for number, turn in enumerate(body.messages):
        param = f"messages.{number}"
        if turn.role == "system":
            system += [_only_text(block, param) for block in turn.content]
        else:
            with refusing(f"{param}.content"):
                messages += _assistant(turn, param) if turn.role == "assistant" else _user(turn, blobs, param)
    if not messages:
        raise WireError(400, "messages: there are instructions alone; add a user's turn", "messages", "invalid_value")
    return tuple(messages), "\n\n".join(system) or None


def _only_text(block: object, param: str) -> str:
    if not isinstance(block, TextBlock):
        raise WireError(400, f"{param}: instructions are text alone", param, "invalid_value")
    return block.text


def _assistant(turn: Turn, param: str) -> list[Message]:
    content: list[Part] = []
    calls: list[ToolCall] = []
    for number, block in enumerate(turn.content):
        match block:
            case TextBlock():
                content.append(Text(text=block.text))
            case ThinkingBlock():
                content.append(thought("anthropic", block.signature, text=block.thinking))
            case RedactedThinkingBlock():
                content.append(thought("anthropic", block.data, redacted=True))
            case ToolUseBlock():
                arguments = json.dumps(block.input, ensure_ascii=False)
                calls.append(call_of(block.id, block.name, arguments))
            case _:
                raise _misplaced(block.type, "assistant", f"{param}.content.{number}")
    return [Message(role="assistant", content=content_of(content), tool_calls=tuple(calls))]


def _user(turn: Turn, blobs: Blobs, param: str) -> list[Message]:
    """The results of tools are turns of their own; media in them, which those cannot hold, follow as the user's."""
    results: list[Message] = []
    content: list[Part] = []
    for number, block in enumerate(turn.content):
        where = f"{param}.content.{number}"
        match block:
            case TextBlock():
                content.append(Text(text=block.text))
            case ImageBlock() | DocumentBlock():
                content.append(_media(block, blobs, where))
            case ToolResultBlock():
                texts = [part.text for part in block.content or () if isinstance(part, TextBlock)]
                text = "\n\n".join(["Error:", *texts] if block.is_error else texts)
                results.append(Message(role="tool", content=text, tool_call_id=call_id(block.tool_use_id)))
                content += [
                    _media(part, blobs, f"{where}.content.{place}")
                    for place, part in enumerate(block.content or ())
                    if not isinstance(part, TextBlock)
                ]
            case _:
                raise _misplaced(block.type, "user", where)
    if content or not results:
        # Several texts stay several: nothing says that one goes on where the other ends.
        whole = content_of(content) if len(content) <= 1 else tuple(content)
        results.append(Message(role="user", content=whole))
    return results


def _misplaced(kind: str, role: str, param: str) -> WireError:
    return WireError(400, f"{param}: the {role}'s turn holds no block of type {kind!r}", param, "invalid_value")


def _media(block: ImageBlock | DocumentBlock, blobs: Blobs, param: str) -> Media:
    name = (block.title if isinstance(block, DocumentBlock) else None) or block.type
    source, where = block.source, f"{param}.source"
    if source.type == "url":
        part = blobs.url(source.url, name, f"{where}.url")
    elif source.type == "text":
        part = blobs.add(source.data.encode(), name, f"{where}.data")
    else:
        part = blobs.base64(source.data, name, f"{where}.data")
    kind, wanted = part.kind, "image" if isinstance(block, ImageBlock) else "file"
    if kind != wanted:
        raise WireError(400, f"{where}: this is of type {part.media_type}, no {block.type}", where, "invalid_value")
    return part


def _parameters(body: Body) -> dict[str, Any]:
    made: dict[str, Any] = {
        "tools": tuple(
            Tool(name=tool.name, description=tool.description, parameters=tool.input_schema, strict=tool.strict)
            for tool in body.tools or ()
        ),
        "cache_control": _longest_cache(body),
    }
    if choice := body.tool_choice:
        made["tool_choice"] = NamedTool(name=choice.name) if isinstance(choice, NamedChoice) else _CHOICES[choice.type]
        if choice.type != "none" and choice.disable_parallel_tool_use is not None:
            made["parallel_tool_calls"] = not choice.disable_parallel_tool_use
    if output := body.output_config:
        made["reasoning_effort"] = output.effort
        made["response_schema"] = output.format.schema_ if output.format else None
    return made


def _extra(body: Body, betas: Sequence[str]) -> Extra | None:
    passed = {name: value for name in PASSED if (value := getattr(body, name)) is not None}
    if betas:
        passed[BETAS] = list(betas)
    return Extra(anthropic=passed) if passed else None


_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def _sampling(body: Body) -> dict[str, Any]:
    return {
        "max_tokens": body.max_tokens,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "stop": tuple(body.stop_sequences or ()),
        "user": (body.metadata.user_id if body.metadata else None) or None,
    }


def _longest_cache(body: CountBody) -> str | None:
    """How long the prompt is to be kept: marks on single blocks ask for all that comes before them."""
    blocks = [block for turn in body.messages for block in turn.content]
    inner = [part for block in blocks if isinstance(block, ToolResultBlock) for part in block.content or ()]
    marked = [body, *(body.system or ()), *(body.tools or ()), *blocks, *inner]
    marks = {one.cache_control.ttl for one in marked if isinstance(one, Cacheable) and one.cache_control}
    return max(marks, key=("5m", "1h").index, default=None)
