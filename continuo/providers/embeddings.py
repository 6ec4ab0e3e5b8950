"""Embeddings, for the protocols that have them."""

from array import array
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Protocol

from continuo.messages import ModelRequest, Usage
from continuo.providers.errors import invalid_response
from continuo.providers.protocol import Json, WireRequest


@dataclass(frozen=True)
class Embedding:
    """Where texts stand in their model's space of meanings.

    `vectors` are those of the `count` texts one after the other, all of the same length, as 32-bit floats. `usage` is
    None where the provider counts nothing.
    """

    vectors: bytes
    count: int
    usage: Usage | None = None
    simulated: bool = False

    def parts(self, counts: Sequence[int]) -> "Iterator[Embedding]":
        """Those of the first so many texts, of the next ones, and so on, each with the usage of all."""
        length, at = len(self.vectors) // self.count, 0
        for count in counts:
            yield replace(self, vectors=self.vectors[at * length : (at + count) * length], count=count)
            at += count


class EmbeddingProtocol(Protocol):
    """As `WireProtocol`, for the turns of a request, each of which is a text, and their vectors."""

    def encode(self, base_url: str, model: str, request: ModelRequest) -> WireRequest: ...

    def decode(self, body: Json) -> Embedding: ...


def embedding(vectors: Sequence[Sequence[float] | str], usage: Usage | None) -> Embedding:
    """Each is numbers, or 32-bit floats in base64. Raises `ProviderError` for one that is empty, not finite or of
    another length, and what Python raises for what is none."""
    packed = [_packed(vector) for vector in vectors]
    lengths = {len(vector) for vector in packed}
    if len(lengths) != 1 or not all(lengths):
        raise invalid_response("the response has an empty embedding, or embeddings of several lengths", usage)
    whole = array("f", b"".join(packed))
    if not all(map(isfinite, whole)):
        raise invalid_response("the response has an embedding with a number that is not finite", usage)
    return Embedding(whole.tobytes(), len(packed), usage)


def _packed(vector: Sequence[float] | str) -> bytes:
    return b64decode(vector, validate=True) if isinstance(vector, str) else array("f", vector).tobytes()
