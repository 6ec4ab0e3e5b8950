"""What a wire protocol must know: how to ask, how to read the answer, whole or streamed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from continuo.config.protocols import ProviderProtocol, protocol
from continuo.deltas import Delta
from continuo.messages import ModelRequest, ModelResponse

if TYPE_CHECKING:
    from continuo.providers.batches import BatchProtocol
    from continuo.providers.embeddings import EmbeddingProtocol

Json = dict[str, Any]

NO_MEDIA: Mapping[str, bytes] = {}
"""Of a request that is text alone."""


@dataclass(frozen=True)
class WireRequest:
    """What is sent: the whole URL and the JSON body; with `files`, a form of those and of the body's fields.

    A file is its name, its content and its type, by the name of its field. `headers` are beside those of all requests.
    `content` is sent piece by piece in place of a body, which then is of the type that `headers` say.
    """

    url: str
    body: Json
    files: Mapping[str, tuple[str, bytes, str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    method: Literal["GET", "POST"] = "POST"
    content: Sequence[bytes] | None = None


class StreamDecoder(Protocol):
    """Puts one streamed answer together. Raises as `WireProtocol.decode` does."""

    def feed(self, event: Json) -> Iterable[Delta]:
        """Take one event; what it adds to the answer, often nothing. All of it together is what `finish` gives."""

    def finish(self) -> ModelResponse:
        """The whole answer; an `invalid_response` when the stream ended before the answer did."""


class WireProtocol(ProviderProtocol, ABC):
    """One provider's protocol, as pure mapping. `headers` go out with every request, whatever key it has."""

    headers: Mapping[str, str] = {}
    embeddings: "EmbeddingProtocol | None" = None
    batches: "BatchProtocol | None" = None
    embedding_batches: "BatchProtocol | None" = None

    @abstractmethod
    def key_headers(self, key: str) -> dict[str, str]:
        """How the key is sent."""

    @abstractmethod
    def encode(
        self, base_url: str, model: str, request: ModelRequest, *, stream: bool, media: Mapping[str, bytes] = NO_MEDIA
    ) -> WireRequest:
        """What is posted. `media` holds the content of every medium of the request, by its SHA-256."""

    @abstractmethod
    def decode(self, body: Json) -> ModelResponse:
        """The answer. Raises `ProviderError`, without the provider's name, when the body holds none; and, where
        nothing was counted yet, what Python raises for another shape (see `errors.reading`)."""

    @abstractmethod
    def stream_decoder(self) -> StreamDecoder:
        """Of a protocol that `streams`."""


class InProcess(ProviderProtocol, ABC):
    """A provider that answers by itself, in this process and at no cost."""

    in_process = True
    streams = False

    @abstractmethod
    def answering(self, folder: Path) -> Callable[[ModelRequest], ModelResponse]:
        """Answers from `folder`, the setting `knowledge`. It may block, and raise `OSError` or `ValueError`."""


def wire_protocol(name: str) -> WireProtocol:
    """The protocol of that name. Raises `UnknownName`, and `TypeError` for one that goes over no wire."""
    result = protocol(name)
    if not isinstance(result, WireProtocol):
        raise TypeError(f"{name} answers in this process")
    return result
