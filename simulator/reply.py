"""What a simulated model says, before any protocol gives it a shape."""

import json
from dataclasses import dataclass
from typing import Any

from simulator.behaviour import Behaviour

Json = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What a request asks, whatever protocol it came in. `answered_tool` when its last turn is a tool's result."""

    prompt: str
    length: int
    tools: tuple[str, ...]
    answered_tool: bool
    schema: Json | None
    logprobs: bool = False


@dataclass(frozen=True)
class Reply:
    text: str
    tool: tuple[str, Json] | None
    finish: str
    tokens: tuple[int, int, int] | None
    confidence: float | None
    refusal: bool


def reply(model: str, question: Question, behaviour: Behaviour) -> Reply:
    """The scripted answer, or one that follows from the prompt alone."""
    tool = None
    if (call := behaviour.tool_call) and call.name in question.tools and not question.answered_tool:
        tool = (call.name, call.arguments)
    text = "" if tool or behaviour.fault == "refusal" else _text(model, question, behaviour)
    written = text + (json.dumps(tool[1]) if tool else "")
    tokens = (-(-question.length // 4), -(-len(written) // 4), 0)
    if behaviour.tokens:
        tokens = (behaviour.tokens.input, behaviour.tokens.output, behaviour.tokens.cached)
    return Reply(
        text=text,
        tool=tool,
        finish="tool" if tool else behaviour.finish_reason,
        tokens=None if behaviour.fault == "no_usage" else tokens,
        confidence=behaviour.confidence,
        refusal=behaviour.fault == "refusal",
    )


def _text(model: str, question: Question, behaviour: Behaviour) -> str:
    if behaviour.text is not None:
        text = behaviour.text
    elif question.schema is not None:
        return json.dumps(example(question.schema))
    else:
        words = question.prompt.split()
        about = " ".join(words[:12]) + (" …" if len(words) > 12 else "")
        text = f"[simulated {model}] You asked: “{about}” A real model would answer here."
    return text if behaviour.confidence is None else f"{text}\nCONFIDENCE: {behaviour.confidence}"


def example(schema: Json) -> Any:
    """A small document that fits a JSON schema."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return example(schema[union][0])
    kind = schema.get("type", "object")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            properties: Json = schema.get("properties", {})
            names: list[str] = schema.get("required", list(properties))
            return {name: example(properties.get(name, {})) for name in names}
        case "array":
            return [example(schema.get("items", {}))] * max(1, schema.get("minItems", 1))
        case "string":
            return "simulated".ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]
        case "integer" | "number":
            return schema.get("minimum", schema.get("maximum", 0))
        case "boolean":
            return True
        case _:
            return None


def pieces(text: str) -> list[str]:
    """The text in the parts that a stream sends: about three words each."""
    words = text.split(" ")
    parts = [" ".join(words[start : start + 3]) for start in range(0, len(words), 3)]
    return [part if last else f"{part} " for part, last in zip(parts, [False] * (len(parts) - 1) + [True], strict=True)]
