"""Tokens of a real issuer: a server on this machine that publishes its keys."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from continuo.access import oidc
from continuo.access.oidc import Issuer, IssuerUnavailable, TokenRefused
from continuo.config.settings import Settings
from continuo.errors import InputError

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


class Published:
    """An issuer's server; `keys` can change, and it can be away."""

    def __init__(self, server: HTTPServer) -> None:
        self.address = server.url_for("/realm").replace("localhost", "127.0.0.1")
        self.keys: list[dict[str, Any]] = [published("one", RSA)]
        self.away = False
        self.reads = 0
        server.expect_request("/realm/.well-known/openid-configuration").respond_with_handler(self._about)
        server.expect_request("/realm/keys").respond_with_handler(self._keys)

    def _about(self, _: Request) -> Response:
        about = {"issuer": self.address, "jwks_uri": f"{self.address}/keys"}
        return Response("" if self.away else json.dumps(about), status=503 if self.away else 200)

    def _keys(self, _: Request) -> Response:
        self.reads += 1
        return Response(json.dumps({"keys": self.keys}))

    def token(self, *, key: Any = RSA, kid: str | None = "one", algorithm: str = "RS256", **claims: Any) -> str:
        """A token of ada's, of tenant acme, for the next minute; a claim that is None is left out."""
        usual = {"iss": self.address, "aud": "continuo", "sub": "ada", "tenant": "acme", "exp": time.time() + 60}
        kept = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(kept, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def published(kid: str, private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    if isinstance(private, rsa.RSAPrivateKey):
        return {**jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": kid, "use": "sig"}
    return {**jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": kid}


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer() as server:
        yield server


@pytest.fixture
def published_by(server: HTTPServer) -> Published:
    server.clear()
    return Published(server)


@pytest.fixture
async def issuer(published_by: Published) -> AsyncIterator[Issuer]:
    async with httpx.AsyncClient() as client:
        yield Issuer(Settings(oidc_issuer=published_by.address, oidc_audience="continuo"), client)


async def test_a_token_is_a_caller_with_a_tenant_and_with_what_it_may_do(
    issuer: Issuer, published_by: Published
) -> None:
    terms = {"models": ["gpt-*"], "daily_usd": 2.5, "priority": "batch", "admin": True, "requests_per_minute": 5}
    key = await issuer.find(published_by.token(continuo=terms))
    assert (key.tenant, key.name, key.models, key.daily_usd) == ("acme", "ada", ("gpt-*",), 2.5)
    assert (key.priority, key.admin, key.limits.requests_per_minute) == ("batch", True, 5)
    assert key.expires is not None
    again = await issuer.find(published_by.token(exp=time.time() + 600))
    other = await issuer.find(published_by.token(sub="bob"))
    assert again.id == key.id != other.id


async def test_the_keys_are_read_once_for_many_tokens(issuer: Issuer, published_by: Published) -> None:
    for _ in range(20):
        await issuer.find(published_by.token())
    assert published_by.reads == 1


async def test_a_key_that_the_issuer_adds_is_known_and_guessed_ones_are_not_looked_for_each_time(
    issuer: Issuer, published_by: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    await issuer.find(published_by.token())
    published_by.keys.append(published("two", EC))
    token = published_by.token(key=EC, kid="two", algorithm="ES256")
    for _ in range(20):
        with pytest.raises(TokenRefused, match="does not publish"):
            await issuer.find(token)
    assert published_by.reads == 1
    monkeypatch.setattr(oidc, "PAUSE", 0)
    assert (await issuer.find(token)).name == "ada"


async def test_an_issuer_that_is_away_is_told_until_its_keys_are_known(
    issuer: Issuer, published_by: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    published_by.away = True
    with pytest.raises(IssuerUnavailable, match="503"):
        await issuer.find(published_by.token())
    published_by.away = False
    await issuer.find(published_by.token())
    published_by.away = True
    monkeypatch.setattr(oidc, "FRESH", 0)
    assert (await issuer.find(published_by.token())).tenant == "acme"


async def test_clocks_may_differ_a_little(issuer: Issuer, published_by: Published) -> None:
    assert await issuer.find(published_by.token(exp=time.time() - 10, nbf=time.time() + 10))


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": 1_700_000_000}, "expired"),
        ({"exp": None}, "exp"),
        ({"nbf": 4_000_000_000}, "not yet valid"),
        ({"aud": "another"}, "[Aa]udience"),
        ({"aud": None}, "aud"),
        ({"iss": "http://127.0.0.1:1/realm"}, "[Ii]ssuer"),
        ({"sub": None}, "sub"),
        ({"tenant": None}, "claim 'tenant' of the token"),
        ({"tenant": "a/b"}, "claim 'tenant' of the token: .* is no tenant's name"),
        ({"tenant": ["acme"]}, "claim 'tenant' of the token"),
        ({"continuo": {"admin": "sure"}}, "claim 'continuo.admin' of the token"),
        ({"continuo": {"modles": []}}, "claim 'continuo.modles' of the token"),
        ({"continuo": {"tenant": "globex"}}, "claim 'continuo' of the token"),
        ({"continuo": "admin"}, "claim 'continuo' of the token"),
        ({"key": EC, "algorithm": "ES256"}, "the token is refused"),
        ({"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)}, "[Ss]ignature"),
        ({"key": "a secret of 32 bytes, or some more", "algorithm": "HS256"}, "alg"),
        ({"key": None, "algorithm": "none"}, "alg"),
        ({"kid": None}, "names no key"),
    ],
)
async def test_what_is_wrong_with_a_token_is_said(
    issuer: Issuer, published_by: Published, claims: dict[str, Any], why: str
) -> None:
    with pytest.raises(TokenRefused, match=why):
        await issuer.find(published_by.token(**claims))


async def test_the_published_key_is_no_shared_secret(issuer: Issuer, published_by: Published) -> None:
    """The known attack: the public key, signed with as if it were one of HMAC."""
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    forged = published_by.token(key="x" * 32, algorithm="HS256").rsplit(".", 1)[0]
    signature = jwt.utils.base64url_encode(
        jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(forged.encode(), public)
    )
    with pytest.raises(TokenRefused, match="alg"):
        await issuer.find(f"{forged}.{signature.decode()}")


@pytest.mark.parametrize("token", ["", "a.b.c", "...", "e30.e30.", "\u00e9.\u00e9.\u00e9"])
async def test_what_is_no_token_is_refused(issuer: Issuer, token: str) -> None:
    with pytest.raises(TokenRefused):
        await issuer.find(token)


async def test_settings_are_checked() -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(InputError, match="CONTINUO_OIDC_AUDIENCE"):
            Issuer(Settings(oidc_issuer="https://id.example.com"), client)
    with pytest.raises(InputError, match="CONTINUO_OIDC_ISSUER"):
        Settings(oidc_issuer="http://id.example.com")
