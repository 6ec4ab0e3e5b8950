"""The other way in: a token that an OpenID Connect issuer has signed."""

import asyncio
import math
import time
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import structlog
from pydantic import ValidationError

from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.protection.api_keys import ApiKey

if TYPE_CHECKING:
    from jwt import PyJWK

log = structlog.get_logger()

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Those that need the issuer's private key; a token never chooses another."""

CLAIM = "continuo"
"""The claim that says, as an object, what else the caller may do: the fields of an `ApiKey`."""

OURS = frozenset({"id", "name", "tenant", "created", "expires"})
"""Fields that come from the claims of the standard, and the tenant's."""

LEEWAY = 30.0
"""Seconds by which the issuer's clock and ours may differ."""

FRESH = 300.0
"""Seconds after which the issuer's keys are read again."""

PAUSE = 10.0
"""Seconds between two readings, however many tokens name keys that nobody has."""


class TokenRefused(Exception):
    """The token lets nobody in; the message says why, for its holder."""


class IssuerUnavailable(Exception):
    """The issuer's keys cannot be read, and were not before."""


class Issuer:
    """Checks tokens against the keys that the issuer publishes.

    Raises `InputError` when the settings name no audience, or PyJWT is not installed.
    """

    def __init__(self, settings: Settings, client: httpx.AsyncClient) -> None:
        if not settings.oidc_audience:
            raise InputError("CONTINUO_OIDC_AUDIENCE: empty; name whom the issuer's tokens are for")
        try:
            import jwt  # noqa: F401
        except ImportError:
            raise InputError("CONTINUO_OIDC_ISSUER needs PyJWT; pip install 'pyjwt[crypto]'") from None
        self._issuer = settings.oidc_issuer
        self._audience = settings.oidc_audience
        self._tenant_claim = settings.oidc_tenant_claim
        self._client = client
        self._keys: dict[str, PyJWK] = {}
        self._read_at = -math.inf
        self._reading = asyncio.Lock()

    async def find(self, token: str) -> ApiKey:
        """The caller, as if with a key that ends with the token. Raises `TokenRefused` and `IssuerUnavailable`."""
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                await self._key(header),
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.InvalidTokenError as error:
            raise TokenRefused(f"the token is refused: {error}") from None
        return self._caller(claims)

    def _caller(self, claims: dict[str, Any]) -> ApiKey:
        extra = claims.get(CLAIM, {})
        if not isinstance(extra, dict) or OURS & extra.keys():
            raise TokenRefused(f"claim {CLAIM!r} of the token: not an object of a key's fields without {sorted(OURS)}")
        subject, now = claims["sub"], datetime.now(UTC)
        fields = {
            # The same in every token of the caller: budgets and limits are counted by it.
            "id": f"oidc-{sha256(f'{self._issuer} {subject}'.encode()).hexdigest()[:16]}",
            "name": subject,
            "tenant": claims.get(self._tenant_claim),
            "created": now,
            "expires": datetime.fromtimestamp(claims["exp"] + LEEWAY, UTC),
        }
        try:
            return ApiKey.model_validate({**extra, **fields})
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            claim = {"tenant": self._tenant_claim, "name": "sub"}.get(name, f"{CLAIM}.{name}")
            raise TokenRefused(f"claim {claim!r} of the token: {first['msg']}") from None

    async def _key(self, header: dict[str, Any]) -> "PyJWK":
        id, now = header.get("kid"), time.monotonic()
        if not isinstance(id, str):
            raise TokenRefused("the token's header names no key (kid)")
        if now >= self._read_at + (FRESH if id in self._keys else PAUSE):
            await self._read(now)
        if id not in self._keys:
            raise TokenRefused("the token is signed with a key that its issuer does not publish")
        return self._keys[id]

    async def _read(self, moment: float) -> None:
        """Read the keys, unless somebody has since that moment; keep those that are known where that fails."""
        async with self._reading:
            if self._read_at >= moment:
                return
            try:
                keys = await self._published()
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                log.warning("the issuer's keys cannot be read", issuer=self._issuer, error=str(error))
                if not self._keys:
                    raise IssuerUnavailable(f"the keys of {self._issuer} cannot be read: {error}") from error
            else:
                self._keys = keys
            self._read_at = time.monotonic()

    async def _published(self) -> "dict[str, PyJWK]":
        import jwt

        about = await self._json(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if about["issuer"] != self._issuer:
            raise ValueError(f"it calls itself {about['issuer']!r}")
        keys = {}
        for key in (await self._json(about["jwks_uri"]))["keys"]:
            # A secret one would let everybody who reads it sign; others encrypt, or are of a kind we do not know.
            if key.get("kty") != "oct" and key.get("use", "sig") == "sig" and isinstance(key.get("kid"), str):
                try:
                    keys[key["kid"]] = jwt.PyJWK(key)
                except jwt.PyJWTError as error:
                    log.warning("a key of the issuer is left out", kid=key["kid"], error=str(error))
        return keys

    async def _json(self, url: str) -> Any:
        response = await self._client.get(url, timeout=5)
        return response.raise_for_status().json()
