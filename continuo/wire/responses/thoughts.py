"""Thoughts as reasoning items: the signature is the encrypted content."""

from typing import Any

from continuo.parts import Reasoning
from continuo.wire.responses.body import ReasoningItem
from continuo.wire.signatures import signature, thought

_REDACTED = "redacted:"


def thought_of(item: ReasoningItem) -> Reasoning:
    texts = [part.text for part in item.summary] or [part.text for part in item.content or ()]
    made = thought("openai", item.encrypted_content or "", text="\n\n".join(texts))
    if made.signature is None or not made.signature.startswith(_REDACTED):
        return made
    return made.model_copy(update={"signature": made.signature.removeprefix(_REDACTED), "redacted": True})


def reasoning_item(
    id: str, text: str, value: str | None, protocol: str | None, redacted: bool = False
) -> dict[str, Any]:
    """The item of a thought that is whole."""
    signed = f"{_REDACTED}{value}" if redacted else value
    return {
        "id": id,
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}] if text else [],
        "encrypted_content": signature("openai", protocol, signed) or None,
        "status": "completed",
    }
