"""Embeddings, for the protocols that have them."""

from typing import Protocol

from continuo.data import Data
from continuo.messages import Usage
from continuo.providers.errors import invalid_response
from continuo.providers.protocol import Json, WireRequest


class Embedding(Data):
    """Where a text stands in its model's space of meanings. `usage` is None where the provider counts nothing."""

    vector: tuple[float, ...]
    usage: Usage | None = None
    simulated: bool = False


class EmbeddingProtocol(Protocol):
    """As `WireProtocol`, for one text and its vector."""

    def encode(self, base_url: str, model: str, text: str) -> WireRequest: ...

    def decode(self, body: Json) -> Embedding: ...


def embedding(vector: list[float], usage: Usage | None) -> Embedding:
    """Raises `ProviderError` for an empty one."""
    if not vector:
        raise invalid_response("the response has an empty embedding", usage)
    return Embedding(vector=tuple(map(float, vector)), usage=usage)
