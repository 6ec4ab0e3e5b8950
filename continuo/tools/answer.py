"""From what a tool answers to a text."""

import json
from typing import Any

from continuo.errors import ProviderError
from continuo.tools.limits import MAX_RESULT


def text_of(name: str, result: Any) -> str:
    """The text of a result: its texts, one a line, else its structured content as JSON.

    Raises `ProviderError`: of kind `tool_failed` with the tool's own message where the result is an error, and
    `invalid_response` for what is no text, or too large.
    """
    texts = []
    for block in result.content:
        text = getattr(block, "text", None) or getattr(getattr(block, "resource", None), "text", None)
        if text is None and block.type == "resource_link":
            text = str(block.uri)
        if text is None and block.type != "text":
            raise ProviderError("invalid_response", f"{name} answered with {block.type}; only texts can be taken on")
        texts.append(text or "")
    if not texts and result.structured_content is not None:
        texts = [json.dumps(result.structured_content, ensure_ascii=False)]
    text = "\n".join(texts).encode(errors="replace").decode()
    if result.is_error:
        raise ProviderError("tool_failed", f"{name}: {text[:2_000] or 'it failed, and does not say why'}")
    if (size := len(text.encode())) > MAX_RESULT:
        raise ProviderError("invalid_response", f"{name} answered {size:,} bytes, more than {MAX_RESULT:,}")
    return text
