"""What a wire protocol must know: how to ask, how to read the answer, whole or streamed."""

from dataclasses import dataclass
from typing import Any, Protocol

from continuo.messages import ModelRequest, ModelResponse

Json = dict[str, Any]


@dataclass(frozen=True)
class WireRequest:
    """What is posted: the path after the provider's base URL, and the JSON body."""

    path: str
    body: Json


class StreamDecoder(Protocol):
    """Puts one streamed answer together."""

    def feed(self, event: Json) -> str:
        """Take one event; return the text it adds, often none."""

    def finish(self) -> ModelResponse:
        """The whole answer. Raises `ProviderError` when the stream ended before the answer did."""


class WireProtocol(Protocol):
    """One provider's protocol, as pure mapping. `decode` and `feed` raise `ProviderError`, and what Python
    raises for a body of another shape (`KeyError`, `TypeError`, …), which the client maps."""

    def key_headers(self, key: str) -> dict[str, str]:
        """How the key is sent."""

    def encode(self, model: str, request: ModelRequest, *, stream: bool) -> WireRequest: ...

    def decode(self, body: Json) -> ModelResponse: ...

    def stream_decoder(self) -> StreamDecoder: ...
