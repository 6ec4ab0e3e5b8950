"""OpenAI's Moderations: texts in, and what was seen in them out."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import uuid4

from continuo.authoring.prepare import MAX_INPUT_BYTES
from continuo.door.moderating import Moderated
from continuo.wire.errors import WireError
from continuo.wire.parsed import Shape

MODEL = "guardrails"
"""What answers where the request names nothing."""

UNSEEN = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
"""OpenAI's categories, which take a model: of these nothing is known, and that is no false."""


class Part(Shape):
    """A text, or an image, which is refused."""

    type: Literal["text", "image_url"]
    text: str = ""
    image_url: Any = None


class Body(Shape):
    """Of `POST /v1/moderations`. Parts are one input together. `model` is the pattern or model that the texts would be
    for."""

    input: str | list[str] | list[Part]
    model: str | None = None


def texts(body: Body) -> list[str]:
    """The inputs. Raises `WireError` for what cannot be taken."""
    if isinstance(body.input, str):
        made = [body.input]
    else:
        parts = [part.text for part in body.input if isinstance(part, Part)]
        if any(isinstance(part, Part) and part.type != "text" for part in body.input):
            raise WireError(400, "input: images are not looked at here; send texts alone", "input", "invalid_value")
        made = ["\n\n".join(parts)] if parts else [text for text in body.input if isinstance(text, str)]
    if not made:
        raise WireError(400, "input: it is empty; send a text", "input", "invalid_value")
    if (size := sum(len(text.encode(errors="replace")) for text in made)) > MAX_INPUT_BYTES:
        message = f"input: it has {size:,} bytes, more than {MAX_INPUT_BYTES:,}; send less at once"
        raise WireError(400, message, "input", "invalid_value")
    return made


def response(model: str, results: Sequence[Moderated]) -> dict[str, Any]:
    return {"id": f"modr-{uuid4().hex}", "model": model, "results": [_result(one) for one in results]}


def _result(one: Moderated) -> dict[str, Any]:
    unseen = dict.fromkeys(UNSEEN)
    return {
        "flagged": one.refused,
        "categories": {**unseen, **one.categories},
        "category_scores": {**unseen, **{name: float(seen) for name, seen in one.categories.items()}, **one.scores},
        "category_applied_input_types": {
            **{name: [] for name in UNSEEN},
            **{name: ["text"] for name in one.categories},
        },
    }
