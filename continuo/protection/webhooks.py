"""Webhooks: which addresses may be told, and how what they are told is signed, as Standard Webhooks says."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256

from continuo.errors import InputError
from continuo.protection.addresses import is_public, number_of, parsed
from continuo.protection.provider_keys import keys_in

VARIABLE = "CONTINUO_WEBHOOK_KEY"
"""In the environment of gateways and pools: what the secrets of all tenants are made of.

Several may stand there with commas between them: each signs, and the first is the one whose secrets are given out.
"""

SHORTEST = 32
"""Characters of that key."""

LONGEST_URL = 2000


def keys_of(environ: Mapping[str, str]) -> list[str]:
    """The keys. Raises `InputError` where there is none, or one that can be guessed."""
    keys = keys_in(environ.get(VARIABLE, ""))
    if not keys or min(map(len, keys)) < SHORTEST:
        what = "is too short" if keys else "is not set"
        raise InputError(f"{VARIABLE} {what}; set it to {SHORTEST} random characters or more, for gateways and pools")
    return keys


def secret_of(key: str, tenant: str) -> str:
    """The secret that a tenant checks signatures with. It is made of the key anew each time, and kept nowhere."""
    digest = hmac.digest(key.encode(), f"webhooks/{tenant}".encode(), sha256)
    return f"whsec_{b64encode(digest).decode()}"


def secrets_of(environ: Mapping[str, str], tenant: str) -> list[str]:
    """The secrets by each of which a delivery to the tenant is signed. Raises `InputError` as `keys_of`."""
    return [secret_of(key, tenant) for key in keys_of(environ)]


def signed(secrets: Iterable[str], id: str, timestamp: int, body: str) -> dict[str, str]:
    """The headers of a delivery: of the event `id`, at a `timestamp` in seconds since 1970, by each of the secrets."""
    keys = [b64decode(secret.removeprefix("whsec_")) for secret in secrets]
    signatures = [hmac.digest(key, f"{id}.{timestamp}.{body}".encode(), sha256) for key in keys]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{b64encode(signature).decode()}" for signature in signatures),
    }


def check_url(address: str, *, private: bool) -> None:
    """Raise `InputError` for an address that is told nothing, as far as that is seen without asking for its name.

    With `private` ones the address may be inside a network, and of http.
    """
    if len(address) > LONGEST_URL or not address.isascii() or not address.isprintable() or " " in address:
        raise InputError(f"it is no address; write at most {LONGEST_URL:,} characters of ASCII, without spaces")
    url = parsed(address)
    if url.scheme not in (("https", "http") if private else ("https",)):
        raise InputError(f"its scheme is {url.scheme[:20]!r}; write an address that begins with https://")
    if not url.hostname:
        raise InputError("it has no host; write an address such as https://example.com/hook")
    if "@" in url.netloc:
        raise InputError("it has a user or a password; leave them out: the signature says who sends")
    number = number_of(url.hostname.rstrip("."))
    if number is not None and not private and not is_public(number):
        raise InputError(f"{url.hostname} is {number}, which is no public address; name one of the internet")
