"""What a wire protocol must know: how to ask, how to read the answer, whole or streamed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from continuo.messages import ModelRequest, ModelResponse

Json = dict[str, Any]

NO_MEDIA: Mapping[str, bytes] = {}
"""Of a request that is text alone."""


@dataclass(frozen=True)
class WireRequest:
    """What is posted: the whole URL and the JSON body; with `files`, a form of those and of the body's fields.

    A file is its name, its content and its type, by the name of its field.
    """

    url: str
    body: Json
    files: Mapping[str, tuple[str, bytes, str]] = field(default_factory=dict)


class StreamDecoder(Protocol):
    """Puts one streamed answer together. Raises as `WireProtocol.decode` does."""

    def feed(self, event: Json) -> str:
        """Take one event; return the text it adds, often none."""

    def finish(self) -> ModelResponse:
        """The whole answer; an `invalid_response` when the stream ended before the answer did."""


class WireProtocol(Protocol):
    """One provider's protocol, as pure mapping. `headers` go out with every request, whatever key it has."""

    headers: dict[str, str]

    def key_headers(self, key: str) -> dict[str, str]:
        """How the key is sent."""

    def encode(
        self, base_url: str, model: str, request: ModelRequest, *, stream: bool, media: Mapping[str, bytes] = NO_MEDIA
    ) -> WireRequest:
        """What is posted. `media` holds the content of every medium of the request, by its SHA-256."""

    def decode(self, body: Json) -> ModelResponse:
        """The answer. Raises `ProviderError`, without the provider's name, when the body holds none; and, where
        nothing was counted yet, what Python raises for another shape (see `errors.reading`)."""

    def stream_decoder(self) -> StreamDecoder: ...
