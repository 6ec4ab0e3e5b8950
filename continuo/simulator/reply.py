"""What a simulated model is asked and says, before any protocol gives it a shape."""

import json
import math
import random
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol
from uuid import uuid4

from continuo.simulator.behaviour import Behaviour
from continuo.simulator.plan import fitting

Json = dict[str, Any]
MEDIUM_TOKENS = 258
"""What any image, audio or file counts as."""

_NUMBERED = re.compile(r"call_(\d+)_")

REFUSAL = "I cannot help with that (simulated)."


@dataclass(frozen=True)
class Question:
    """What a request asks, whatever protocol it came in.

    `length` counts the characters of all texts, `answered_tool` says that the turns hold a tool's result,
    and `counts` that the answer is to hold the tokens. `choice` is *none*, *required* or a tool's name, where one is
    set; `json` says that any JSON object is wanted, and `top` how many tokens each place of `logprobs` is to have.
    `embeds` are texts to be embedded in so many `dimensions`, and `packed` that their vectors are wanted in base64.
    `turn` is how many turns of the assistant there are before, those that were left out of it among them.
    `begun` is the assistant's turn that may be wanted to be gone on with, and whether it is the last of all.
    `media` are what came beside the texts, as type and bytes; `seconds` of an audio are to be counted, not tokens.
    """

    prompt: str
    length: int
    tools: tuple[str, ...]
    answered_tool: bool
    schema: Json | None
    choice: str | None = None
    json: bool = False
    logprobs: bool = False
    top: int = 0
    counts: bool = True
    embeds: tuple[str, ...] = ()
    dimensions: int | None = None
    packed: bool = False
    media: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0
    begun: tuple[str, bool] = ("", False)
    turn: int = 0


@dataclass(frozen=True)
class Reply:
    """`tokens` are those read, those written, and those of the read ones that were cached; of each of the `tools` that
    are called there is an id, the name and the arguments."""

    text: str
    thought: str
    tools: tuple[tuple[str, str, Json], ...]
    finish: str
    tokens: tuple[int, int, int] | None
    logprobs: float | None
    top: int
    refusal: bool
    empty: bool
    vectors: list[list[float]]
    packed: bool
    seconds: float


def chosen(choice: str | None, tools: tuple[str, ...]) -> str | None:
    """A choice of tools as `Question` has it. Raises `ValueError` for one that the tools do not allow."""
    if choice in (None, "auto", "none"):
        return None if choice == "auto" else choice
    if not tools or choice not in ("required", *tools):
        raise ValueError(f"tool_choice is {choice!r}, and the tools are {', '.join(tools) or 'none'}")
    return choice


class Wire(Protocol):
    """What a module of a protocol offers."""

    def question(self, body: Json) -> Question: ...
    def answer(self, model: str, reply: Reply) -> Json: ...
    def stream(self, model: str, reply: Reply) -> Iterator[str]: ...
    def error(self, status: int, message: str, code: str | None) -> Json: ...


def reply(model: str, question: Question, behaviour: Behaviour) -> Reply:
    """The scripted answer, or one that follows from the prompt alone."""
    scripted = behaviour.script[question.turn] if question.turn < len(behaviour.script) else None
    if scripted is None:
        tool = _tool(question, behaviour)
        calls = [tool] if tool else []
        text = "" if tool or behaviour.fault in ("refusal", "empty") else _text(model, question, behaviour)
    else:
        calls, text = [(call.name, call.arguments) for call in scripted.calls], scripted.text
    tools = tuple((new_id(f"call_{question.turn}_"), *call) for call in calls)
    written = behaviour.thought + text + "".join(json.dumps(arguments) for *_, arguments in tools)
    read = -(-question.length // 4) + MEDIUM_TOKENS * len(question.media)
    tokens = (read, -(-len(written) // 4), 0)
    if behaviour.tokens:
        tokens = (behaviour.tokens.input, behaviour.tokens.output, behaviour.tokens.cached)
    return Reply(
        text=text,
        thought=behaviour.thought,
        tools=tools,
        finish="tool" if tools else behaviour.finish_reason,
        tokens=tokens if question.counts and behaviour.fault != "no_usage" else None,
        logprobs=behaviour.confidence if question.logprobs else None,
        top=question.top,
        refusal=behaviour.fault == "refusal",
        empty=behaviour.fault == "empty",
        vectors=[_vector(text, behaviour)[: question.dimensions] for text in question.embeds],
        packed=question.packed,
        seconds=question.seconds,
    )


def _tool(question: Question, behaviour: Behaviour) -> tuple[str, Json] | None:
    """The scripted call, or, where a call is demanded, one without arguments."""
    if question.choice == "none":
        return None
    demanded = question.tools[0] if question.choice == "required" else question.choice
    call = behaviour.tool_call
    if demanded:
        return demanded, call.arguments if call and call.name == demanded else {}
    return (call.name, call.arguments) if call and call.name in question.tools and not question.answered_tool else None


def _vector(text: str, behaviour: Behaviour) -> list[float]:
    """The scripted embedding, or one that is the same for the same text and far from that of any other."""
    chance = random.Random(text)
    # Of 32-bit floats, as real ones are.
    return behaviour.embeddings.get(text) or [round(chance.gauss(0, 1) * 1024) / 1024 for _ in range(64)]


def _text(model: str, question: Question, behaviour: Behaviour) -> str:
    if question.schema is not None:
        return json.dumps(fitting(question.schema)) if behaviour.text is None else behaviour.text
    text = behaviour.text
    if question.json:
        return json.dumps({"answer": f"[simulated {model}]"}) if text is None else text
    if text is None:
        words = question.prompt.split()
        about = " ".join(words[:12]) + (" …" if len(words) > 12 else "")
        sent = ", ".join(f"{kind} of {size:,} bytes" for kind, size in question.media)
        beside = f" You sent: {sent}." if sent else ""
        text = f"[simulated {model}] You asked: “{about}”{beside} A real model would answer here."
    text = text if behaviour.confidence is None else f"{text}\nCONFIDENCE: {behaviour.confidence}"
    beginning, is_last = question.begun
    rest = text.removeprefix(beginning)
    return rest if rest or is_last else text


def turns_before(answers: int, ids: Iterable[str]) -> int:
    """How many turns the assistant has had: so many `answers` are there, and the ids of its calls tell of others."""
    numbers = (int(match[1]) + 1 for id in ids if (match := _NUMBERED.match(id)))
    return max([answers, *numbers])


def begun(turns: Sequence[tuple[str, str]]) -> tuple[str, bool]:
    """`Question.begun` of turns, by their role and text."""
    answers = [
        (text, turn is turns[-1]) for turn in turns[-2:] for role, text in [turn] if role in ("assistant", "model")
    ]
    return answers[-1] if answers else ("", False)


def medium(media_type: str, data: str) -> tuple[str, int]:
    """A medium that came in base64, as its type and its bytes. Raises `ValueError` where it is none."""
    if not (content := b64decode(data, validate=True)):
        raise ValueError(f"the {media_type} is empty")
    return media_type, len(content)


def data_url(url: str) -> tuple[str, int]:
    """A medium that came as a data URL."""
    head, comma, data = url.partition(";base64,")
    if not comma or not head.startswith("data:"):
        raise ValueError(f"{url[:40]} is no data URL, and nothing else can be read here")
    return medium(head.removeprefix("data:"), data)


def signature(thought: str) -> str:
    """What a provider that signs gives with a thought, and demands back with it."""
    return "sim-" + sha256(thought.encode()).hexdigest()[:32]


def check_signature(thought: str, signed: object) -> None:
    """Raise `ValueError` as a provider that signs does: for a thought that is not its own."""
    if signed != signature(thought):
        raise ValueError(f"invalid signature of the thought {thought[:40]!r}")


def text_of(content: str | list[Json] | None) -> str:
    """The text of what OpenAI and Anthropic let be a string or a list of parts."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def pieces(text: str) -> list[str]:
    """The text in the parts that a stream sends: about three words each."""
    words = text.split(" ")
    parts = [" ".join(words[start : start + 3]) for start in range(0, len(words), 3)]
    return [part if last else f"{part} " for part, last in zip(parts, [False] * (len(parts) - 1) + [True], strict=True)]


def slices(text: str) -> list[str]:
    """JSON in the parts that a stream of a tool's arguments sends, cut anywhere."""
    return [text[at : at + 5] for at in range(0, len(text), 5)]


def logarithm(probability: float) -> float:
    """Of a probability of zero what OpenAI's protocol has for it."""
    return math.log(probability) if probability else -9999.0


def new_id(prefix: str) -> str:
    return prefix + uuid4().hex
