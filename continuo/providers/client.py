"""The one pooled HTTP client through which every model is asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx

from continuo.catalog import Catalog, Model, Provider
from continuo.errors import ProviderError
from continuo.messages import ModelRequest, ModelResponse, Usage
from continuo.providers.anthropic import Anthropic
from continuo.providers.errors import error_for_response, error_for_transport, invalid_response
from continuo.providers.google import Google
from continuo.providers.knowledge import Knowledge
from continuo.providers.openai import OpenAI
from continuo.providers.protocol import Json, WireProtocol

PROTOCOLS: Mapping[str, WireProtocol] = {"openai": OpenAI(), "anthropic": Anthropic(), "google": Google()}

CONNECT_TIMEOUT = 5.0
CHARACTERS_PER_TOKEN = 4
T = TypeVar("T")
_SHAPE_ERRORS = (KeyError, IndexError, TypeError, AttributeError, ValueError)


class ModelClient:
    """Asks any model of the catalog. Never retries, since whoever calls does; every error is a `ProviderError`.

    `environ` holds the keys, `knowledge` is the folder that the knowledge provider answers from.
    """

    def __init__(self, catalog: Catalog, environ: Mapping[str, str], knowledge: Path) -> None:
        self._providers = catalog.providers
        self._environ = environ
        self._knowledge = Knowledge(knowledge)
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=100)
        self._http = httpx.AsyncClient(http2=True, limits=limits)

    async def complete(
        self, model: Model, request: ModelRequest, *, timeout: float, idempotency_key: str
    ) -> ModelResponse:
        """The whole answer. `timeout` is in seconds, for each wait for the provider."""
        provider = self._providers[model.provider]
        if provider.protocol == "knowledge":
            return await asyncio.to_thread(self._knowledge.answer, request)
        protocol = PROTOCOLS[provider.protocol]
        async with self._asked(model, request, timeout, idempotency_key, stream=False) as response:
            body = _json(model.provider, await response.aread())
            answer = _read(model.provider, partial(protocol.decode, body))
            return _completed(answer, request, response)

    async def stream(
        self, model: Model, request: ModelRequest, *, timeout: float, idempotency_key: str
    ) -> AsyncIterator[str | ModelResponse]:
        """The text as it comes, piece by piece, then the whole answer."""
        decoder = PROTOCOLS[self._providers[model.provider].protocol].stream_decoder()
        async with self._asked(model, request, timeout, idempotency_key, stream=True) as response:
            async for line in response.aiter_lines():
                data = line.removeprefix("data:").strip()
                if not line.startswith("data:") or data == "[DONE]":
                    continue
                event = _json(model.provider, data)
                if text := _read(model.provider, partial(decoder.feed, event)):
                    yield text
            yield _completed(_read(model.provider, decoder.finish), request, response)

    async def aclose(self) -> None:
        await self._http.aclose()

    @asynccontextmanager
    async def _asked(
        self, model: Model, request: ModelRequest, timeout: float, idempotency_key: str, *, stream: bool
    ) -> AsyncIterator[httpx.Response]:
        """A successful response whose body is still to be read; leaving early closes the request at once."""
        provider = self._providers[model.provider]
        wire = PROTOCOLS[provider.protocol].encode(model.name, request, stream=stream)
        try:
            async with self._http.stream(
                "POST",
                f"{provider.url(self._environ)}{wire.path}",
                json=wire.body,
                headers={**provider.headers, **self._key_headers(provider), "Idempotency-Key": idempotency_key},
                timeout=httpx.Timeout(timeout, connect=CONNECT_TIMEOUT),
            ) as response:
                if not response.is_success:
                    await response.aread()
                    raise error_for_response(model.provider, response)
                yield response
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise error_for_transport(model.provider, error) from error

    def _key_headers(self, provider: Provider) -> dict[str, str]:
        if not provider.key_env:
            return PROTOCOLS[provider.protocol].key_headers("none")
        key = self._environ.get(provider.key_env)
        if not key:
            raise ProviderError("unauthorized", f"this worker has no {provider.key_env} in its environment")
        return {provider.key_header: key} if provider.key_header else PROTOCOLS[provider.protocol].key_headers(key)


def _json(provider: str, text: str | bytes) -> Json:
    try:
        found = json.loads(text)
    except ValueError:
        raise invalid_response(f"{provider}: the response is not JSON") from None
    if not isinstance(found, dict):
        raise invalid_response(f"{provider}: the response is not a JSON object")
    return found


def _read(provider: str, decode: Callable[[], T]) -> T:
    try:
        return decode()
    except _SHAPE_ERRORS as error:
        what = f"{provider}: the response has an unexpected shape ({type(error).__name__}: {error})"
        raise invalid_response(what) from error


def _completed(answer: ModelResponse, request: ModelRequest, response: httpx.Response) -> ModelResponse:
    """The answer with its usage, estimated where the provider gives none, and marked where it is simulated."""
    simulated = response.headers.get("x-continuo-simulated") == "true"
    usage = answer.usage or Usage(
        input_tokens=_tokens(request.system or "", *(message.content for message in request.messages)),
        output_tokens=_tokens(answer.message.content, *(call.arguments for call in answer.message.tool_calls)),
        estimated=True,
    )
    return answer.model_copy(update={"usage": usage, "simulated": simulated})


def _tokens(*texts: str) -> int:
    return -(-sum(map(len, texts)) // CHARACTERS_PER_TOKEN)
