"""An answer that broke off while it was streamed, and how a model is asked to go on with it."""

from collections.abc import Iterable

from continuo.config.catalog import Model
from continuo.deltas import Delta, TextDelta
from continuo.messages import Message, ModelRequest, ModelResponse, estimated_tokens

INSTRUCTION = (
    "Your last turn was cut off in the middle. Write what comes after its very last character, and nothing else: "
    "repeat none of it, say nothing about the cut, and begin with a space or a line break where one belongs there."
)
"""What a model is told that takes no unfinished turn of its own."""


def begun_text(request: ModelRequest, pieces: Iterable[Delta]) -> str | None:
    """The text that was delivered; None where none can go on with it: with a thought or a call among the pieces, or
    where the answer is to be JSON or to tell its tokens, which two halves do not make."""
    texts = [piece.text if isinstance(piece, TextDelta) else None for piece in pieces]
    if None in texts or request.response_schema is not None or request.response_format or request.logprobs:
        return None
    return "".join(text or "" for text in texts)


def going_on(request: ModelRequest, begun: str, model: Model) -> ModelRequest:
    """The request for the rest of an answer that began with `begun`, whose tokens count towards its limit."""
    # A provider refuses a last turn that ends in space, see `Seam`.
    kept = begun.rstrip()
    if not kept:
        return request
    *before, last = request.messages
    if last.role == "assistant":
        turns = [*before, last.saying(last.text + kept)]
    else:
        turns = [*before, last, Message(role="assistant", content=kept)]
    if model.continues == "instruction":
        turns.append(Message(role="user", content=INSTRUCTION))
    limit = request.max_tokens and max(1, request.max_tokens - estimated_tokens(begun))
    return request.model_copy(update={"messages": tuple(turns), "max_tokens": limit})


class Seam:
    """What of a continuation, which comes in pieces, is new: the space that ends `begun` is not given twice."""

    def __init__(self, begun: str) -> None:
        self._space = begun[len(begun.rstrip()) :]

    def new(self, piece: str) -> str:
        while self._space and piece:
            if piece[0] != self._space[0]:
                self._space = ""
                break
            self._space, piece = self._space[1:], piece[1:]
        return piece


def joined(begun: str, response: ModelResponse) -> ModelResponse:
    """The whole answer, of which `response` is the rest."""
    message = response.message
    return response.model_copy(update={"message": message.saying(begun + Seam(begun).new(message.text))})
