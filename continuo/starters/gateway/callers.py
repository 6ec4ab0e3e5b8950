"""Who calls, and what that caller may name."""

from collections.abc import Callable

import structlog
from starlette.requests import Request

from continuo.access.oidc import TokenRefused
from continuo.authoring.files import is_file
from continuo.authoring.library import Library
from continuo.errors import unknown
from continuo.protection.api_keys import ApiKey, parsed_secret
from continuo.starters.gateway.state import Gateway
from continuo.wire.errors import WireError


async def caller(gateway: Gateway, http: Request) -> ApiKey:
    """The key of a request, in `Authorization: Bearer …` or in `x-api-key`. Raises `WireError` without one that opens.

    A token of the issuer, where one is set, is as good as a key. The lines in the log of the request then say whose it
    is.
    """
    key = await _opening(gateway, http)
    http.scope["key_id"] = key.id
    structlog.contextvars.bind_contextvars(tenant=key.tenant)
    return key


async def _opening(gateway: Gateway, http: Request) -> ApiKey:
    kind, _, token = http.headers.get("authorization", "").partition(" ")
    secret = token.strip() if kind.lower() == "bearer" else http.headers.get("x-api-key", "")
    if not secret:
        message = "no API key; send one as `Authorization: Bearer KEY` or `x-api-key: KEY`"
        raise WireError(401, message, code="missing_api_key")
    if gateway.issuer is not None and parsed_secret(secret) is None and secret.count(".") == 2:
        try:
            return await gateway.issuer.find(secret)
        except TokenRefused as error:
            raise WireError(401, str(error), code="invalid_token") from None
    key = await gateway.ring.find(secret)
    if key is None:
        message = "the API key opens nothing here; see `continuo keys list`"
        raise WireError(401, message, code="invalid_api_key")
    return key


async def entered(http: Request) -> tuple[Gateway, ApiKey]:
    """The gateway and the caller's key. Raises `WireError` as `caller` does."""
    gateway: Gateway = http.app.state.gateway
    return gateway, await caller(gateway, http)


def names(library: Library, key: ApiKey) -> list[str]:
    """What the caller may name as a model: patterns, then models and their aliases."""
    patterns = [name for name in library.names() if key.allows_pattern(name)]
    models = sorted({*library.catalog.aliases, *library.catalog.models})
    return [*patterns, *(name for name in models if key.allows_model(name) and name not in patterns)]


def resolver(library: Library, key: ApiKey) -> Callable[[str], str]:
    """What makes a pattern of a model's name: a pattern of this name, else the model itself, as `model:ID` too.

    It raises `UnknownName`, and `WireError` for a name that the key may not use.
    """

    def resolve(name: str) -> str:
        if not is_file(name) and name in library.names():
            return _allowed(name, name, key.allows_pattern(name))
        model = name.removeprefix("model:")
        if model not in library.catalog.models and model not in library.catalog.aliases:
            raise unknown("model", name, names(library, key))
        return _allowed(name, f"model:{model}", key.allows_model(model))

    return resolve


def _allowed(name: str, pattern: str, allowed: bool) -> str:
    if not allowed:
        raise WireError(403, f"model: the API key may not use {name!r}", "model", "model_not_allowed")
    return pattern
