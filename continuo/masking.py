"""Secrets are blotted out of what comes from an upstream and of what leaves a worker, however they are written."""

import json
import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus, urlsplit

from continuo.catalog import Catalog

SHORTEST = 8
"""Characters of the shortest secret that is masked: a shorter one stands in ordinary texts too."""

MASK = "***"


class Masker:
    """Knows the secrets as they are, in JSON, in URLs and in base64, and by any beginning of at least half of them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms: dict[str, list[str]] = defaultdict(list)
        for form in {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}:
            self._forms[form[: max(SHORTEST, len(form) // 2)]].append(form)
        heads = sorted(self._forms, key=len, reverse=True)
        self._heads = re.compile("|".join(map(re.escape, heads))) if heads else None

    def text(self, text: str) -> str:
        """The text with each secret replaced by `***`."""
        if self._heads is None:
            return text
        pieces, at = [], 0
        for found in self._heads.finditer(text):
            if found.start() < at:
                continue
            same = [_same(form, text, found.start()) for form in self._forms[found[0]]]
            pieces += [text[at : found.start()], MASK]
            at = found.start() + max(same)
        return "".join([*pieces, text[at:]]) if pieces else text


def _same(form: str, text: str, start: int) -> int:
    """How many characters of `form` stand in `text` from `start` on."""
    there = text[start : start + len(form)]
    return next((at for at, (one, other) in enumerate(zip(form, there, strict=False)) if one != other), len(there))


def masker(catalog: Catalog, environ: Mapping[str, str]) -> Masker:
    """For the keys of all providers and services, that of Temporal, and the passwords in addresses."""
    endpoints = [*catalog.providers.values(), *catalog.services.values()]
    keys = [environ.get(endpoint.key_env or "", "").strip() for endpoint in endpoints]
    addresses = [environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")]
    addresses += [endpoint.url(environ) or "" for endpoint in endpoints]
    return Masker([*keys, environ.get("TEMPORAL_API_KEY", ""), *filter(None, map(_password, addresses))])


def _password(address: str) -> str | None:
    try:
        return urlsplit(address).password
    except ValueError:
        return None


def _forms(secret: str) -> Iterator[str]:
    yield secret
    written = json.dumps(secret)[1:-1]
    yield from (written, written.replace("/", "\\/"), json.dumps(written)[1:-1])
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    raw = secret.encode()
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        # Behind so many other bytes; the characters that these have a part in are left out.
        packed = b64encode(b"x" * before + raw).decode()
        whole = packed.rstrip("=")[skipped : -1 if (before + len(raw)) % 3 else None]
        yield from (whole, whole.translate(str.maketrans("+/", "-_")))
