"""What an API key may do, and the secret that proves it: pure, the time given."""

import hmac
import re
import secrets
import string
import zlib
from datetime import datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import AwareDatetime, Field

from continuo.config.catalog import Limits
from continuo.data import WHEN_SET, Data, Int
from continuo.jobs import Context, KeyTerms, Name, Prefer, Priority, TenantName, Usd, Weight

Globs = tuple[Annotated[str, Field(min_length=1, max_length=200)], ...]
Count = Annotated[Int, Field(ge=1, le=10**12)]
Status = Literal["active", "expired", "revoked"]
Role = Literal["viewer", "reviewer", "operator", "admin"]
"""Of a person on the web page: each may do what those before it may."""


class ApiKey(Data):
    """Who calls, for which tenant, and what that caller may do.

    `models` and `patterns` are globs of the names that may be asked for. `daily_usd` and `monthly_usd` are budgets in
    the tenant's zone, beside the tenant's own; None is no limit, there as for the rates. `prefer` holds where a request
    does not say, `weight` is the share of a busy queue instead of the tenant's, `admin` sees every tenant. `role` opens
    the web page.
    """

    id: str
    name: Name
    tenant: TenantName
    created: AwareDatetime
    models: Globs = ("*",)
    patterns: Globs = ("*",)
    priority: Priority = "standard"
    daily_usd: Usd | None = None
    monthly_usd: Usd | None = None
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrency: Count | None = None
    prefer: Prefer | None = None
    weight: Weight | None = None
    admin: bool = False
    role: Annotated[Role | None, WHEN_SET] = None
    expires: AwareDatetime | None = None

    def allows_model(self, name: str) -> bool:
        return any(fnmatchcase(name, glob) for glob in self.models)

    def allows_pattern(self, name: str) -> bool:
        return any(fnmatchcase(name, glob) for glob in self.patterns)

    def has_expired(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now

    def has_role(self, role: Role) -> bool:
        """Whether the holder may do on the web page what one of this role may. Who sees every tenant is an admin where
        nothing else is said."""
        own, ranks = self.role or ("admin" if self.admin else None), get_args(Role)
        return own is not None and ranks.index(own) >= ranks.index(role)

    @property
    def limits(self) -> Limits:
        """The same limits as those of a provider, used up whole."""
        return Limits(
            requests_per_minute=self.requests_per_minute,
            tokens_per_minute=self.tokens_per_minute,
            concurrency=self.concurrency,
            throttle_at=1.0,
        )

    def context(self) -> Context:
        """For whom a run is that is asked for with the key; a request adds its user, its session and its deadline."""
        terms = KeyTerms(id=self.id, daily_usd=self.daily_usd, monthly_usd=self.monthly_usd, weight=self.weight)
        return Context(tenant=self.tenant, prefer=self.prefer, priority=self.priority, key=terms)


class Proof(NamedTuple):
    """What is kept of a secret that somebody has sent: enough to look whether it opens its key."""

    id: str
    digest: str


class Secret(NamedTuple):
    """A key as its holder sends it: the id is looked up, of the whole `text` only the `digest` is kept."""

    id: str
    text: str

    @property
    def digest(self) -> str:
        """A fast hash is enough: nobody guesses 256 random bits."""
        return sha256(self.text.encode()).hexdigest()

    @property
    def proof(self) -> Proof:
        return Proof(self.id, self.digest)


class StoredKey(Data):
    """A key as it is kept. `previous_sha256` is of the secret before the last rotation, which works until
    `previous_until`."""

    key: ApiKey
    sha256: str
    previous_sha256: str | None = None
    previous_until: AwareDatetime | None = None
    revoked: AwareDatetime | None = None

    def status(self, now: datetime) -> Status:
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.key.has_expired(now) else "active"


SECRET = re.compile(r"cnt_[0-9a-z]{12}_[0-9A-Za-z]{49}")
"""What a scanner of secrets looks for: 43 random characters (256 bits), and 6 that check the rest."""

_LETTERS = string.digits + string.ascii_letters
_ID = string.digits + string.ascii_lowercase
_CHECKSUM = 6
_NOBODY = Secret("", "").digest


def new_id() -> str:
    return "".join(secrets.choice(_ID) for _ in range(12))


def new_secret(id: str) -> Secret:
    """A new secret for the key of that id."""
    text = f"cnt_{id}_{''.join(secrets.choice(_LETTERS) for _ in range(43))}"
    return Secret(id, text + _checksum(text))


def parsed_secret(text: str) -> Secret | None:
    """None for a text that no key of ours can be, as with a typing error."""
    if not SECRET.fullmatch(text) or _checksum(text[:-_CHECKSUM]) != text[-_CHECKSUM:]:
        return None
    return Secret(text.split("_")[1], text)


def proven(stored: StoredKey | None, secret: Secret | Proof, now: datetime) -> bool:
    """Whether the secret opens the key now. It takes as long whatever is right of it, and for a key nobody has."""
    digest = secret.digest
    current = hmac.compare_digest(stored.sha256 if stored else _NOBODY, digest)
    previous = hmac.compare_digest((stored.previous_sha256 if stored else None) or _NOBODY, digest)
    if stored is None or stored.status(now) != "active":
        return False
    in_grace = stored.previous_until is not None and now < stored.previous_until
    return current or (previous and in_grace)


def _checksum(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECKSUM):
        number, digit = divmod(number, len(_LETTERS))
        digits += _LETTERS[digit]
    return digits
