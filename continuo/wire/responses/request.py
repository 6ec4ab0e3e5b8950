"""From a body to what is submitted at the door."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from continuo.door.request import Request
from continuo.extra import Extra
from continuo.messages import Message, ModelRequest, ToolCall, content_of, estimated_tokens
from continuo.parameters import NamedTool, Parameters, Tool
from continuo.parts import Media, Part, Text
from continuo.protection.reservation import read_tokens
from continuo.wire.accepted import Accepted
from continuo.wire.errors import WireError, refusing
from continuo.wire.media import NOTHING_FETCHED, Blobs
from continuo.wire.responses.body import (
    PASSED,
    Body,
    CallItem,
    Content,
    CountBody,
    InputAudio,
    InputFile,
    InputImage,
    InputText,
    MessageItem,
    NamedChoice,
    OutputText,
    ReasoningItem,
    Refusal,
    ResultItem,
    SchemaFormat,
)
from continuo.wire.responses.thoughts import thought_of
from continuo.wire.signatures import call_id, call_of


def request(body: Body, *, resolve: Callable[[str], str], fetched: Mapping[str, bytes] = NOTHING_FETCHED) -> Accepted:
    """What is submitted for this body, whose earlier items are in it, see `continued`.

    `resolve` makes a pattern of the model's name, see `Request`; `fetched` has the content of URLs. What is to be kept
    of the answer, and whether anybody waits for it, is for the caller: `store`, `background`, `stream`. Raises
    `WireError` for what cannot be taken.
    """
    blobs = Blobs(fetched)
    messages, system = _conversation(body, blobs)
    with refusing("model"):
        pattern = resolve(body.model)
    with refusing():
        parameters = Parameters(**_parameters(body))
        made = Request(
            pattern=pattern,
            messages=messages,
            system=system,
            parameters=parameters,
            stream=bool(body.stream),
        )
    return Accepted(made, blobs.content)


def input_tokens(body: CountBody, *, fetched: Mapping[str, bytes] = NOTHING_FETCHED) -> dict[str, Any]:
    """The answer to a question for tokens, which are estimated: no tokenizer of any model is here."""
    messages, system = _conversation(body, Blobs(fetched))
    tools = [tool.model_dump_json(exclude_none=True) for tool in body.tools or ()]
    with refusing():
        read = ModelRequest(messages=messages, system=system)
    return {"object": "response.input_tokens", "input_tokens": read_tokens(read) + estimated_tokens(*tools)}


def urls(body: CountBody) -> Iterator[str]:
    """Addresses of media, which the caller may fetch."""
    for item in body.input:
        parts = item.content if isinstance(item, MessageItem) else item.output if isinstance(item, ResultItem) else ()
        for part in parts:
            match part:
                case InputImage(image_url=url) | InputFile(file_url=str(url)):
                    if not url.startswith("data:"):
                        yield url


def _conversation(body: CountBody, blobs: Blobs) -> tuple[tuple[Message, ...], str | None]:
    """The turns and the instructions; those among the items are added to the others, in their order."""
    if body.conversation and body.previous_response_id:
        message = "conversation: it excludes previous_response_id; leave one out"
        raise WireError(400, message, "conversation", "mutually_exclusive_parameters")
    system = [body.instructions] if body.instructions else []
    turns = _Turns()
    for number, item in enumerate(body.input):
        param = f"input.{number}"
        with refusing(param):
            match item:
                case MessageItem(role="assistant"):
                    turns.say(Text(text=_only_text(part, f"{param}.content")) for part in item.content)
                case MessageItem(role="user"):
                    turns.ask(_part(part, blobs, f"{param}.content.{at}") for at, part in enumerate(item.content))
                case MessageItem():
                    system += [_only_text(part, f"{param}.content") for part in item.content]
                case ReasoningItem():
                    turns.say([thought_of(item)])
                case CallItem():
                    turns.call(call_of(item.call_id, item.name, item.arguments))
                case ResultItem():
                    parts = [_part(part, blobs, f"{param}.output.{at}") for at, part in enumerate(item.output)]
                    turns.result(call_id(item.call_id), parts)
    messages = turns.end()
    if not messages:
        raise WireError(400, "input: there is none; write what the user asks", "input", "missing_required_parameter")
    return messages, "\n\n".join(system) or None


class _Turns:
    """Turns made of items: what the assistant thinks, says and calls between two others is one."""

    def __init__(self) -> None:
        self._done: list[Message] = []
        self._said: list[Part] = []
        self._calls: list[ToolCall] = []
        self._media: list[Media] = []

    def say(self, parts: Iterable[Part]) -> None:
        self._tools_end()
        if self._calls:
            self._assistant_ends()
        self._said += parts

    def call(self, call: ToolCall) -> None:
        self._tools_end()
        self._calls.append(call)

    def result(self, id: str, parts: Sequence[Text | Media]) -> None:
        """Media, which a tool's turn cannot hold, follow the results as the user's."""
        self._assistant_ends()
        text = "\n\n".join(part.text for part in parts if isinstance(part, Text))
        self._done.append(Message(role="tool", content=text, tool_call_id=id))
        self._media += [part for part in parts if not isinstance(part, Text)]

    def ask(self, parts: Iterable[Part]) -> None:
        self._tools_end()
        self._assistant_ends()
        content = tuple(parts)
        # Several texts stay several: nothing says that one goes on where the other ends.
        whole = content_of(content) if len(content) <= 1 else content
        self._done.append(Message(role="user", content=whole))

    def end(self) -> tuple[Message, ...]:
        self._tools_end()
        self._assistant_ends()
        return tuple(self._done)

    def _tools_end(self) -> None:
        if self._media:
            self._done.append(Message(role="user", content=tuple(self._media)))
            self._media = []

    def _assistant_ends(self) -> None:
        if self._said or self._calls:
            content = content_of(self._said)
            self._done.append(Message(role="assistant", content=content, tool_calls=tuple(self._calls)))
            self._said, self._calls = [], []


def _only_text(part: Content, param: str) -> str:
    match part:
        case InputText() | OutputText():
            return part.text
        case Refusal():
            return part.refusal
    raise WireError(400, f"{param}: this turn holds text alone, no {part.type!r}", param, "invalid_value")


def _part(part: Content, blobs: Blobs, param: str) -> Text | Media:
    match part:
        case InputImage():
            return blobs.given("image", part.image_url, "image", f"{param}.image_url")
        case InputFile():
            given = part.file_data or part.file_url
            if given is None or (part.file_data and part.file_url):
                raise WireError(400, f"{param}: give either file_data or file_url", param, "invalid_value")
            field = "file_data" if part.file_data else "file_url"
            return blobs.given("file", given, part.filename or "file", f"{param}.{field}")
        case InputAudio():
            return blobs.given("audio", part.input_audio.data, "audio", f"{param}.input_audio.data")
    return Text(text=_only_text(part, param))


def _parameters(body: Body) -> dict[str, Any]:
    made: dict[str, Any] = {
        "tools": tuple(
            Tool(
                name=tool.name,
                description=tool.description or "",
                strict=tool.strict,
                **({"parameters": tool.parameters} if tool.parameters is not None else {}),
            )
            for tool in body.tools or ()
        ),
        "parallel_tool_calls": body.parallel_tool_calls,
        "max_tokens": body.max_output_tokens,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "user": body.user or None,
        "metadata": body.metadata or None,
        "prompt_cache_key": body.prompt_cache_key or None,
        "reasoning_effort": body.reasoning.effort if body.reasoning else None,
        "verbosity": body.text.verbosity if body.text else None,
    }
    choice = body.tool_choice
    made["tool_choice"] = NamedTool(name=choice.name) if isinstance(choice, NamedChoice) else choice
    if "message.output_text.logprobs" in (body.include or ()) or body.top_logprobs is not None:
        made |= {"logprobs": True, "top_logprobs": body.top_logprobs}
    form = body.text.format if body.text else None
    if isinstance(form, SchemaFormat):
        made |= {"response_schema": form.schema_, "strict": form.strict}
    elif form and form.type == "json_object":
        made["response_format"] = "json_object"
    passed = {name: value for name in PASSED if (value := getattr(body, name)) is not None}
    if passed:
        made["extra"] = Extra(openai=passed)
    return made
