"""The one pooled HTTP client through which every model is asked."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx
import structlog

from continuo.apart import apart
from continuo.config.catalog import Catalog, Model, Provider
from continuo.deltas import Delta, TextDelta, text_of
from continuo.errors import ProviderError
from continuo.messages import Message, ModelRequest, ModelResponse, Usage, estimated_tokens, plausible
from continuo.parts import Reasoning, Text
from continuo.protection.masking import Masker
from continuo.protection.provider_keys import KeysInTurn, keys_in
from continuo.protection.replaced_deltas import ReplacedDeltas
from continuo.protection.reservation import is_free, read_tokens
from continuo.providers import transcriptions
from continuo.providers.embeddings import Embedding
from continuo.providers.errors import error_for_response, error_for_transport, invalid_response, naming, reading
from continuo.providers.exchange import Exchange
from continuo.providers.limited import ACCEPTED, MAX_ANSWER, MAX_ERROR, MAX_STREAM, at_most, body, pieces
from continuo.providers.parsed import parsed
from continuo.providers.protocol import NO_MEDIA, InProcess, Json, WireProtocol, WireRequest, wire_protocol
from continuo.providers.sse import EventData

log = structlog.get_logger()

CONNECT_TIMEOUT = 5.0

T = TypeVar("T")


class ModelClient:
    """Asks any model of the catalog. Never retries, since whoever calls does; every error is a `ProviderError`.

    `environ` holds the keys, `knowledge` is the folder that providers in this process answer from.
    """

    def __init__(self, catalog: Catalog, environ: Mapping[str, str], knowledge: Path, masker: Masker) -> None:
        self._catalog = catalog
        self._providers = catalog.providers
        self._environ = environ
        self._masker = masker
        self._knowledge = knowledge
        self._in_turn = KeysInTurn()
        self._answering: dict[InProcess, Callable[[ModelRequest], ModelResponse]] = {}
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=100)
        # HTTP/1.1: over HTTP/2 httpcore sends no reset for a cancelled request, and the provider would finish it.
        self._http = httpx.AsyncClient(limits=limits)

    def of(self, catalog: Catalog) -> "ModelClient":
        """This client, with the same connections, for the models of another catalog."""
        other = copy(self)
        other._catalog, other._providers = catalog, catalog.providers
        return other

    async def complete(
        self,
        model: Model,
        request: ModelRequest,
        *,
        timeout: float,
        idempotency_key: str,
        exchange: Exchange | None = None,
        media: Mapping[str, bytes] = NO_MEDIA,
    ) -> ModelResponse:
        """The whole answer. `timeout` is in seconds, for all of it; `exchange` is filled in.

        `media` holds the content of every medium of the request, by its SHA-256.
        """
        protocol = self._catalog.protocol(model)
        if isinstance(protocol, InProcess):
            return await self._answered(protocol, model, request)
        if model.transcribes:
            encode = partial(transcriptions.encode, model=model, request=request, media=media)
            answer, simulated = await self._whole(
                model, encode, transcriptions.decode, timeout, idempotency_key, exchange, _size(media)
            )
            with naming(model.provider):
                return completed(_paid(answer, model, request), request, simulated)
        assert isinstance(protocol, WireProtocol)
        wanted = askable(request, model)
        encode = partial(protocol.encode, model=model.name, request=wanted, stream=False, media=media)
        answer, simulated = await self._whole(
            model, encode, protocol.decode, timeout, idempotency_key, exchange, _size(media)
        )
        with naming(model.provider):
            return completed(answer, request, simulated)

    async def stream(
        self,
        model: Model,
        request: ModelRequest,
        *,
        timeout: float,
        idempotency_key: str,
        exchange: Exchange | None = None,
        media: Mapping[str, bytes] = NO_MEDIA,
    ) -> AsyncGenerator[Delta | ModelResponse, None]:
        """The answer as it comes, piece by piece, then the whole of it. `timeout` is for each wait for a piece.

        The error of a stream that breaks off has as its usage what was counted, else what had come, estimated.
        """
        protocol = self._catalog.protocol(model)
        if model.transcribes or not protocol.streams:
            answer = await self.complete(
                model, request, timeout=timeout, idempotency_key=idempotency_key, exchange=exchange, media=media
            )
            yield TextDelta(answer.message.text)
            yield answer
            return
        assert isinstance(protocol, WireProtocol)
        decoder = protocol.stream_decoder()
        wanted = askable(request, model)
        encode = partial(protocol.encode, model=model.name, request=wanted, stream=True, media=media)
        events, masked, shown = EventData(), ReplacedDeltas(self._masker.text, self._masker.sure), list[str]()
        exchange = exchange or Exchange()
        with _costing(request, shown, exchange):
            async with self.responding(
                model.provider, encode, timeout, idempotency_key, exchange, _size(media), model
            ) as response:
                async for chunk in pieces(response, MAX_STREAM):
                    for data in events.feed(chunk):
                        for piece in await self.read(data, decoder.feed):
                            for sure in masked.feed(piece):
                                shown.append(text_of(sure))
                                yield sure
                answer = completed(self._masked(decoder.finish()), request, is_simulated(response))
        exchange.usage = answer.usage
        for rest in masked.finish():
            yield rest
        yield answer

    async def embed(
        self,
        model: Model,
        request: ModelRequest,
        *,
        timeout: float,
        idempotency_key: str,
        exchange: Exchange | None = None,
    ) -> Embedding:
        """The embeddings of the request's turns, with their usage, estimated where the provider counts nothing."""
        spoken = self._catalog.protocol(model)
        protocol = spoken.embeddings if isinstance(spoken, WireProtocol) else None
        if protocol is None:
            raise ProviderError("invalid_request", f"{model.id} cannot embed; name an embedding model of the catalog")
        encode = partial(protocol.encode, model=model.name, request=request)
        response, simulated = await self._whole(
            model, encode, protocol.decode, timeout, idempotency_key, exchange, limit=MAX_STREAM
        )
        with naming(model.provider):
            return all_embedded(response, request, simulated)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _answered(self, local: InProcess, model: Model, request: ModelRequest) -> ModelResponse:
        answer = self._answering.get(local) or self._answering.setdefault(local, local.answering(self._knowledge))
        try:
            return await asyncio.to_thread(answer, request)
        except (OSError, ValueError) as error:
            raise ProviderError("invalid_request", f"{model.provider}: {error}") from error

    async def _whole(
        self,
        model: Model,
        encode: Callable[[str], WireRequest],
        decode: Callable[[Json], T],
        timeout: float,
        idempotency_key: str,
        exchange: Exchange | None,
        size: int = 0,
        limit: int = MAX_ANSWER,
    ) -> tuple[T, bool]:
        """What `decode` makes of the answer, and whether that is simulated.

        In bytes, `size` is that of the media and `limit` what the answer may have.
        """
        async with (
            at_most(model.provider, timeout),
            self.responding(model.provider, encode, timeout, idempotency_key, exchange, size, model) as response,
        ):
            return await self.read(await body(response, limit), decode), is_simulated(response)

    def _masked(self, answer: ModelResponse) -> ModelResponse:
        """The answer, in which a secret may have come in several events."""
        text = answer.model_dump_json()
        return answer if (masked := self._masker.json(text)) is text else ModelResponse.model_validate_json(masked)

    async def read(self, text: bytes, decode: Callable[[Json], T]) -> T:
        """What `decode` makes of JSON that a provider sent, without our secrets in it."""
        # Masked is what it says: to cut in its source could break it, and escapes would hide secrets there.
        return await apart(len(text), lambda: decode(self._masker.value(parsed(text))))

    @asynccontextmanager
    async def responding(
        self,
        name: str,
        encode: Callable[[str], WireRequest],
        timeout: float,
        idempotency_key: str,
        exchange: Exchange | None = None,
        size: int = 0,
        model: Model | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """A successful response of the provider `name` whose body is still to be read; leaving early closes the
        request at once.

        `encode` makes of the provider's address what is sent. Of several keys those are tried that are good for the
        `model`; without one it is the first, since what a key has made is seen by that key. What goes wrong while the
        body is read comes out as a `ProviderError` that names the provider.
        """
        provider = self._providers[name]
        protocol = wire_protocol(provider.protocol)
        keys, exchange = self._keys(provider, model), exchange or Exchange()
        url = provider.url(self._environ)
        if url is None:
            raise ProviderError("invalid_request", f"{name}: set {provider.base_url_env} in the environment")
        headers = {
            **ACCEPTED,
            **protocol.headers,
            **provider.headers,
            "Idempotency-Key": idempotency_key,
        }
        refused: list[ProviderError] = []
        try:
            # Large media in base64 take long.
            wire, content = await apart(size, partial(_encoded, name, encode, url))
            if content is not None:
                headers["Content-Type"] = "application/json"
            for key in keys:
                async with self._http.stream(
                    wire.method,
                    wire.url,
                    content=content if wire.content is None else _sent(wire.content),
                    data=wire.body if wire.files else None,
                    files=wire.files or None,
                    headers={**headers, **(_key_headers(provider, key) if key else {}), **wire.headers},
                    timeout=httpx.Timeout(timeout, connect=CONNECT_TIMEOUT),
                    extensions={"trace": exchange.trace},
                ) as response:
                    exchange.billable = response.is_success
                    with naming(name), reading():
                        if response.is_success:
                            yield response
                            return
                        text = (await body(response, MAX_ERROR)).decode(errors="replace")
                    refused.append(error_for_response(name, response, self._masker.text(text)))
                if model is None or not self._another(model, key, refused):
                    break
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise error_for_transport(name, error, self._masker) from None
        # One that may pass says more of the call than a key that is bad.
        raise next((error for error in refused if error.retryable), refused[-1])

    def _keys(self, provider: Provider, model: Model | None) -> list[str] | list[None]:
        """The keys to try, one after the other."""
        if provider.key_env is None:
            return [None]
        keys = checked_keys(provider.key_env, self._environ)
        return keys[:1] if model is None else self._in_turn.order(model.provider, model.id, keys, time.monotonic())

    def _another(self, model: Model, key: str | None, refused: Sequence[ProviderError]) -> bool:
        """Whether another key may be tried after the last one, `key`, was refused: nothing was paid. A provider that
        asks to wait is asked with one more only."""
        error = refused[-1]
        if key is None or not self._in_turn.refused(model.provider, model.id, key, error, time.monotonic()):
            return False
        listed = keys_in(self._environ.get(self._providers[model.provider].key_env or "", ""))
        if len(listed) > 1 and key in listed:
            number = f"{listed.index(key) + 1} of {len(listed)}"
            log.warning("a key was refused", provider=model.provider, model=model.id, key=number, status=error.status)
        return [one.status for one in refused].count(429) < 2


def checked_keys(name: str, environ: Mapping[str, str]) -> list[str]:
    """The keys that the variable `name` lists, without those that cannot be sent. Raises `ProviderError` where none is
    left, and never shows one."""
    keys = keys_in(environ.get(name, ""))
    return [key for key in keys if _is_sendable(key)] or [checked_key(name, environ)]


def checked_key(name: str, environ: Mapping[str, str]) -> str:
    """The key that the variable `name` holds. Raises `ProviderError` where it cannot be sent, and never shows it."""
    key = environ.get(name, "").strip()
    if not key:
        raise ProviderError("unauthorized", f"this worker has no {name} in its environment")
    if not _is_sendable(key):
        raise ProviderError("unauthorized", f"{name} holds a character that no header can carry")
    return key


def _is_sendable(key: str) -> bool:
    # Checked here, since the HTTP library's own error shows the whole key.
    return key.isascii() and key.isprintable()


def _size(media: Mapping[str, bytes]) -> int:
    return sum(map(len, media.values()))


def askable(request: ModelRequest, model: Model) -> ModelRequest:
    """The request, which asks for the probabilities of tokens only where they are given."""
    return request.model_copy(update={"rated": request.rated and model.logprobs})


def is_simulated(response: httpx.Response) -> bool:
    return bool(response.headers.get("x-continuo-simulated") == "true")


def _key_headers(provider: Provider, key: str) -> dict[str, str]:
    return {provider.key_header: key} if provider.key_header else wire_protocol(provider.protocol).key_headers(key)


def _encoded(name: str, encode: Callable[[str], WireRequest], url: str) -> tuple[WireRequest, bytes | None]:
    """What is sent, and its body as JSON; None where it is a form, bytes of its own, or has none."""
    wire = encode(url)
    whole = wire.files or wire.content is not None or wire.method == "GET"
    return wire, None if whole else content_of(name, wire.body)


async def _sent(content: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


def content_of(name: str, body: Json) -> bytes:
    try:
        # A text that no server could read is found here, not there.
        return json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
    except ValueError as error:
        raise ProviderError("invalid_request", f"{name}: the request is not JSON: {error}") from error


def completed(answer: ModelResponse, request: ModelRequest, simulated: bool) -> ModelResponse:
    """The answer with its usage, estimated where the provider gives none, and marked where it is simulated.

    Raises `ProviderError` for one without a word, unless a limit or a stop sequence can have come before the first.
    """
    message = answer.message
    if not message.text.strip() and not message.tool_calls and answer.finish_reason == "stop" and not request.stop:
        raise invalid_response("the response has no text", plausible(answer.usage))
    usage = plausible(answer.usage) or Usage(
        input_tokens=read_tokens(request),
        output_tokens=estimated_tokens(*_written(message)),
        estimated=True,
    )
    return answer.model_copy(update={"usage": usage, "simulated": simulated})


def all_embedded(answer: Embedding, request: ModelRequest, simulated: bool) -> Embedding:
    """The same for embeddings. Raises `ProviderError` where these are not as many as the request has turns."""
    usage = plausible(answer.usage) or Usage(input_tokens=read_tokens(request), estimated=True)
    if answer.count != len(request.messages):
        what = f"the response has {answer.count} embeddings of {len(request.messages)} texts"
        raise invalid_response(what, usage)
    return replace(answer, usage=usage, simulated=simulated)


@contextmanager
def _costing(request: ModelRequest, shown: Sequence[str], exchange: Exchange) -> Iterator[None]:
    """Inside, an error that says nothing of the usage tells what had been shown of the answer, if that is anything; and
    so does the exchange where the stream is left."""
    try:
        yield
    except ProviderError as error:
        error.usage = error.usage or _shown_usage(request, shown)
        raise
    except (asyncio.CancelledError, GeneratorExit):
        exchange.usage = _shown_usage(request, shown)
        raise


def _shown_usage(request: ModelRequest, shown: Sequence[str]) -> Usage | None:
    written = estimated_tokens(*shown)
    return Usage(input_tokens=read_tokens(request), output_tokens=written, estimated=True) if shown else None


def _paid(answer: ModelResponse, model: Model, request: ModelRequest) -> ModelResponse:
    """A transcript with a usage that has a price: seconds say nothing where tokens are paid, nor tokens where seconds
    are, and it is estimated then."""
    usage = plausible(answer.usage)
    if usage is None or (model.price and not is_free(model) and not model.price.cost(usage)):
        usage = Usage(
            input_tokens=read_tokens(request),
            output_tokens=estimated_tokens(answer.message.text),
            estimated=True,
            seconds=transcriptions.audio_of(request).seconds,
        )
    return answer.model_copy(update={"usage": usage})


def _written(message: Message) -> list[str]:
    """All that a model has written, its thoughts too."""
    texts = [part.text for part in message.parts if isinstance(part, Text | Reasoning)]
    return [*texts, *(call.arguments for call in message.tool_calls)]
