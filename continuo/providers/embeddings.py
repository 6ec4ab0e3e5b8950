"""Embeddings, as OpenAI's and Google's protocols have them; Anthropic's has none."""

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote

from continuo.data import Data
from continuo.messages import Usage
from continuo.providers.errors import invalid_response, reading
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


class OpenAIEmbeddings:
    def encode(self, base_url: str, model: str, text: str) -> WireRequest:
        return WireRequest(f"{base_url}/embeddings", {"model": model, "input": text, "encoding_format": "float"})

    def decode(self, body: Json) -> Embedding:
        counted = (body.get("usage") or {}).get("prompt_tokens")
        usage = None if counted is None else Usage(input_tokens=counted)
        with reading(usage):
            return _embedding(body["data"][0]["embedding"], usage)


class GoogleEmbeddings:
    def encode(self, base_url: str, model: str, text: str) -> WireRequest:
        body = {"model": f"models/{model}", "content": {"parts": [{"text": text}]}}
        return WireRequest(f"{base_url}/models/{quote(model, safe='')}:embedContent", body)

    def decode(self, body: Json) -> Embedding:
        with reading():
            return _embedding(body["embedding"]["values"], None)


EMBEDDINGS: Mapping[str, EmbeddingProtocol] = {"openai": OpenAIEmbeddings(), "google": GoogleEmbeddings()}


def _embedding(vector: list[float], usage: Usage | None) -> Embedding:
    if not vector:
        raise invalid_response("the response has an empty embedding", usage)
    return Embedding(vector=tuple(map(float, vector)), usage=usage)
