"""`continuo keys`: who may ask the gateway, and for what."""

import json as jsonlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import App, Parameter
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from continuo.authoring.prepare import validated
from continuo.config.settings import environment
from continuo.errors import InputError
from continuo.jobs import Context, Prefer, Priority
from continuo.protection.api_keys import ApiKey, Role, Secret, StoredKey, new_id, new_secret
from continuo.protection.webhooks import keys_of, secret_of
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.money import money
from continuo.starters.console.terminal import err, out
from continuo.starters.options import timespan
from continuo.starters.store import opened
from continuo.stores.api_keys import ApiKeys

keys = App(name="keys", help="Create, list, revoke and rotate the API keys of tenants.")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class KeyOptions:
    """What a key may do; everything, where nothing is said."""

    tenant: str = "default"
    "Whose key it is: a tenant may have several."
    models: Annotated[tuple[str, ...], Parameter(negative=())] = ("*",)
    "Names of models that may be asked for, such as 'gpt-*'; give it several times for several."
    patterns: Annotated[tuple[str, ...], Parameter(negative=())] = ("*",)
    "The same for patterns."
    priority: Priority = "standard"
    "Which pool runs what it asks for."
    daily_usd: float | None = None
    "What its calls may cost in a day of its tenant's zone, beside the tenant's own budget."
    monthly_usd: float | None = None
    "The same for a month."
    requests_per_minute: int | None = None
    "Requests in any 60 seconds."
    tokens_per_minute: int | None = None
    "Tokens, read and written, in any 60 seconds."
    concurrency: int | None = None
    "Requests at once."
    prefer: Prefer | None = None
    "What a route by preference follows, where a request does not say."
    weight: float | None = None
    "Its share of a busy queue, instead of its tenant's."
    admin: Annotated[bool, Parameter(negative=())] = False
    "It may see every tenant."
    role: Role | None = None
    "What its holder may do on the web page; without one only --admin opens it."


@keys.command
async def create(
    name: str,
    *,
    expires: str | None = None,
    options: KeyOptions | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Make a key, and print its secret: this once, since only a hash of it is kept.

    Parameters
    ----------
    name
        What the key is for.
    expires
        When it stops working: after so long, such as 90d, or on a day, such as 2027-01-31 (UTC).
    json
        Print the secret and the key as JSON.
    """
    now = datetime.now(UTC)
    limits = asdict(options or KeyOptions())
    key = validated(ApiKey, id=new_id(), name=name, created=now, expires=_expiry(expires, now), **limits)
    secret = new_secret(key.id)
    async with opened() as database:
        await ApiKeys(database).create(key, secret)
    _print_secret(secret, key, json=json)
    return 0


@keys.command(name="list")
@keys.default
async def list_keys(*, tenant: str | None = None, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """List the keys, the oldest first: revoked and expired ones too.

    Parameters
    ----------
    tenant
        Those of this tenant alone.
    json
        Print them as JSON, whole.
    """
    now = datetime.now(UTC)
    async with opened() as database:
        stored = [one for one in await ApiKeys(database).all() if tenant in (None, one.key.tenant)]
    if json:
        out.out(jsonlib.dumps([_shown(one, now) for one in stored], indent=2))
    else:
        out.print(_table(stored, now))
    return 0


@keys.command
async def revoke(id: str) -> int:
    """Let a key open nothing any more, within 5 seconds in every process. What runs with it goes on.

    Parameters
    ----------
    id
        The id of the key: the part of its secret between the underscores.
    """
    async with opened() as database:
        stored = await ApiKeys(database).revoke(id, datetime.now(UTC))
    out.print(f"revoked {stored.key.id}")
    return 0


@keys.command
async def rotate(id: str, *, grace: str = "24h", json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Print a new secret for a key; its present one works a little longer, and those before it no more.

    Parameters
    ----------
    id
        The id of the key: the part of its secret between the underscores.
    grace
        For how long its present secret still works, such as 24h, or 0s.
    json
        Print the secret and the key as JSON.
    """
    until = datetime.now(UTC) + timespan("--grace", grace)
    secret = new_secret(id)
    async with opened() as database:
        stored = await ApiKeys(database).rotate(secret, grace=until)
    _print_secret(secret, stored.key, json=json)
    if not json:
        err.print(f"its former secret works until {until:%Y-%m-%d %H:%M} UTC")
    return 0


@keys.command
def webhook_secret(tenant: str = "default") -> int:
    """Print the secret by which a tenant knows that webhooks are ours: made of CONTINUO_WEBHOOK_KEY, and kept nowhere.

    Parameters
    ----------
    tenant
        Whose jobs they tell of.
    """
    out.out(secret_of(keys_of(environment())[0], validated(Context, tenant=tenant).tenant))
    return 0


def _print_secret(secret: Secret, key: ApiKey, *, json: bool) -> None:
    if json:
        out.out(jsonlib.dumps({"secret": secret.text, **key.model_dump(mode="json")}, indent=2))
    else:
        out.out(secret.text)
        err.print(f"key {key.id} of tenant {key.tenant!r}; keep the secret now, it is not shown again")


def _shown(stored: StoredKey, now: datetime) -> dict[str, Any]:
    """What of a key is printed: no hash."""
    hidden = {"key", "sha256", "previous_sha256"}
    rest = stored.model_dump(mode="json", exclude=hidden)
    return {**stored.key.model_dump(mode="json"), "status": stored.status(now), **rest}


def _table(stored: Sequence[StoredKey], now: datetime) -> FittedTable:
    table = FittedTable(
        Column("key"),
        Column("name"),
        Column("tenant", rank=1),
        Column("status"),
        Column("models", rank=3),
        Column("patterns", rank=4),
        Column("a day", rank=2, number=True),
        Column("a month", rank=5, number=True),
        Column("priority", rank=7),
        Column("expires (UTC)", rank=6),
        empty="no keys; make one: continuo keys create NAME --tenant TENANT",
    )
    for one in stored:
        key = one.key
        table.add_row(
            key.id,
            key.name,
            key.tenant,
            one.status(now),
            ", ".join(key.models),
            ", ".join(key.patterns),
            "-" if key.daily_usd is None else money(key.daily_usd),
            "-" if key.monthly_usd is None else money(key.monthly_usd),
            key.priority,
            f"{key.expires:%Y-%m-%d %H:%M}" if key.expires else "never",
        )
    return table


_MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


def _expiry(text: str | None, now: datetime) -> datetime | None:
    """Raises `InputError` for what is neither a duration nor a moment, and for one that is over."""
    if text is None:
        return None
    if "-" not in text:
        return now + timespan("--expires", text)
    try:
        moment = _MOMENT.validate_python(text if "T" in text else f"{text}T00:00:00Z")
    except ValidationError:
        raise InputError(f"--expires: {text!r} is no moment; write it as 2027-01-31, or as 90d") from None
    if moment <= now:
        raise InputError(f"--expires: {text} is over; name a later day")
    return moment
