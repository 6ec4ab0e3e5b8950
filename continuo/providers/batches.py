"""What a provider's batches are to us: sent, looked at, taken back, cancelled, by each protocol in its own way."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from continuo.errors import ProviderError
from continuo.providers.protocol import Json


class BatchHttp(Protocol):
    """How a provider is reached for batches. `path` follows its address. Raises `ProviderError`."""

    async def get(self, path: str) -> Json: ...

    async def post(self, path: str, content: Sequence[bytes] = (b"{}",), type: str = "application/json") -> Json: ...

    def lines(self, path: str) -> AsyncIterator[Json]:
        """What is JSON in each line of an answer, however long that is."""


@dataclass(frozen=True)
class Seen:
    """How a batch stands. One that has `ended` may have left requests unanswered, and one that `failed` has done
    nothing; `why` says more of that."""

    state: Literal["running", "ended", "failed"]
    why: str = ""


@dataclass(frozen=True)
class Result:
    """What became of one request: with one of the two. `body` is as that of a single call."""

    id: str
    body: Json | None = None
    error: ProviderError | None = None


@dataclass(frozen=True)
class Submitted:
    """What is known of a batch that may have been taken: its `label`, how many requests it has, and from when on
    (seconds since 1970) it can be there. `known` are the ids of other batches."""

    label: str
    items: int
    since: float
    known: Collection[str] = ()


class BatchProtocol(ABC):
    """One protocol's batches. At most `most_items` requests, of embeddings as many texts, and `most_bytes` go into one,
    which has ended `expires` seconds after it was sent.

    The id of a request has letters, digits and hyphens, at most 64, and the label of a batch as well. Whoever calls
    tries again: every error is a `ProviderError`.
    """

    most_items: int
    most_bytes: int
    expires: float

    @abstractmethod
    def line(self, id: str, body: bytes) -> bytes:
        """A request as a part of what is sent. `body` is the JSON of a single call."""

    @abstractmethod
    async def submit(self, http: BatchHttp, model: str, lines: Sequence[bytes], label: str) -> str:
        """The provider's id of a batch of these."""

    @abstractmethod
    async def find(self, http: BatchHttp, batch: Submitted) -> str | None:
        """The id of a batch whose submission got no answer; None where it was not taken."""

    @abstractmethod
    async def look(self, http: BatchHttp, id: str) -> Seen:
        """Raises a `ProviderError` of kind `not_found` where nobody knows it."""

    @abstractmethod
    def results(self, http: BatchHttp, id: str) -> AsyncGenerator[Result, None]:
        """What became of its requests once it has ended, in any order, without those that were not answered."""

    @abstractmethod
    async def cancel(self, http: BatchHttp, id: str) -> None:
        """It ends soon; what was answered by then can be taken."""


PAGES = 20
"""Pages of a provider's list in which a batch is looked for."""


def joined(lines: Sequence[bytes], before: bytes, between: bytes, after: bytes) -> list[bytes]:
    """The lines as one body, in pieces: copied nowhere."""
    pieces = [before]
    for number, line in enumerate(lines):
        pieces += [between, line] if number else [line]
    return [*pieces, after]


def text_of(errors: Any) -> str:
    """What a provider says of what went wrong, in short."""
    messages = [one.get("message") or "" for one in errors if isinstance(one, Mapping)]
    return "; ".join(filter(None, messages))[:300] or "the provider does not say why"
