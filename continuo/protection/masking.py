"""Secrets are blotted out of what comes from an upstream and of what leaves a worker, however they are written."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from continuo.config.catalog import Catalog
from continuo.protection import encryption, vault_key
from continuo.protection.encryption import written_keys
from continuo.protection.provider_keys import keys_in

SHORTEST = 8
"""Characters of the shortest secret that is masked: a shorter one stands in ordinary texts too."""

LONG = 16
"""The same where values are masked that a program reads: no name or keyword of ours is as long."""

EARLIER = 20
"""Secrets that have been replaced and are masked still; a key that changes every hour would else fill the memory."""

MASK = "***"

API_KEY = "TEMPORAL_API_KEY"


class Masker:
    """Knows the secrets as they are, in JSON, in URLs, in base64 and as Python shows them, and by any beginning of at
    least half of them and `shortest` characters."""

    def __init__(self, secrets: Iterable[str], shortest: int = SHORTEST) -> None:
        self._shortest = shortest
        self._learning = Lock()
        self._known: list[str] = []
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Know these, which are all there are now, and the last ones of those before. Other threads may mask meanwhile:
        what each finds is known whole."""
        now = dict.fromkeys(secret for secret in secrets if len(secret) >= self._shortest)
        with self._learning:
            self._learn([*[secret for secret in self._known if secret not in now][-EARLIER:], *now])

    def _learn(self, known: list[str]) -> None:
        self._known = known
        self._forms = {form for secret in known for form in _forms(secret)}
        self._heads = {form[: max(self._shortest, len(form) // 2)] for form in self._forms}
        self._beginnings = {form[:length] for form in self._forms for length in range(1, len(form))}
        self._longest = max(map(len, self._beginnings), default=0)

    def text(self, text: str) -> str:
        """The text with each secret replaced by `***`; the same object where it holds none."""
        pieces, at = [], 0
        for start, end in self._secrets(text):
            pieces += [text[at:start], MASK]
            at = end
        return "".join([*pieces, text[at:]]) if pieces else text

    def sure(self, text: str) -> int:
        """How many characters of a text that goes on can be shown, masked: behind them a secret may have begun."""
        longest = min(len(text), self._longest)
        begun = (length for length in range(longest, 0, -1) if text[-length:] in self._beginnings)
        sure = len(text) - next(begun, 0)
        # A secret whose end may be the beginning of another one is not cut in two.
        return next((start for start, end in self._secrets(text) if start < sure < end), sure)

    def _secrets(self, text: str) -> Iterator[tuple[int, int]]:
        """Where each secret begins and ends."""
        # One after the other: a pattern of them all takes twice as long, and lets no other thread run meanwhile.
        heads, at = [head for head in self._heads if head in text], 0
        for start in sorted(match.start() for head in heads for match in re.finditer(re.escape(head), text)):
            if start >= at:
                at = start + max(_same(form, text, start) for form in self._forms)
                yield start, at

    def value(self, value: Any) -> Any:
        """The same for each text in a JSON value."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        return value

    def json(self, text: str) -> str:
        """The same for a JSON text, which stays one."""
        return text if self.text(text) is text else json.dumps(self.value(json.loads(text)))


def _same(form: str, text: str, start: int) -> int:
    """How many characters of `form` stand in `text` from `start` on."""
    there = text[start : start + len(form)]
    return next((at for at, (one, other) in enumerate(zip(form, there, strict=False)) if one != other), len(there))


def secrets(catalog: Catalog, environ: Mapping[str, str]) -> list[str]:
    """The keys of providers, services and servers of tools, Temporal, webhooks and encryption, and the passwords in
    addresses."""
    endpoints = [*catalog.providers.values(), *catalog.services.values()]
    written = [environ.get(endpoint.key_env or "", "").strip() for endpoint in endpoints]
    keys = [*written, *(key for text in written for key in keys_in(text))]
    addresses = [environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")]
    addresses += [endpoint.url(environ) or "" for endpoint in endpoints]
    keys += [environ.get(name, "").strip() for server in catalog.mcp.values() for name in server.variables]
    addresses += [server.url or "" for server in catalog.mcp.values()]
    keys += [environ.get(API_KEY, ""), *keys_in(environ.get("CONTINUO_WEBHOOK_KEY", ""))]
    own = [entry for name in (encryption.VARIABLE, vault_key.VARIABLE) for entry in written_keys(environ, name)]
    keys += [entry.rpartition(":")[2].strip() for entry in own]
    return [*keys, *filter(None, map(_password, addresses))]


def _password(address: str) -> str | None:
    try:
        return urlsplit(address).password
    except ValueError:
        return None


def _forms(secret: str) -> Iterator[str]:
    for written in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        yield from (written, written.replace("/", "\\/"), json.dumps(written)[1:-1])
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    raw = secret.encode()
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        # Behind so many other bytes; the characters that these have a part in are left out.
        packed = b64encode(b"x" * before + raw).decode()
        whole = packed.rstrip("=")[skipped : -1 if (before + len(raw)) % 3 else None]
        yield from (whole, whole.translate(str.maketrans("+/", "-_")))
