"""`continuo keys` on the store of a data folder."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from continuo.access.ring import KeyRing
from continuo.config.settings import Settings
from continuo.protection.api_keys import ApiKey, parsed_secret
from continuo.stores.api_keys import ApiKeys
from continuo.stores.opened import open_store
from tests.support.commands import typed


class Typed(NamedTuple):
    code: int
    out: str
    err: str


Keys = Callable[..., Typed]


@pytest.fixture
def keys(
    environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Keys:
    """Runs `continuo keys` on a data folder of its own."""
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))

    def run(*arguments: str) -> Typed:
        code = typed(monkeypatch, "keys", *arguments)
        return Typed(code, *capsys.readouterr())

    return run


def loaded(keys: Keys, *arguments: str) -> Any:
    """What the command prints as JSON."""
    result = keys(*arguments, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def opens(data: Path, secret: str) -> ApiKey | None:
    """The key that the secret opens now."""

    async def find() -> ApiKey | None:
        database = open_store(Settings(data=data), {})
        try:
            return await KeyRing(ApiKeys(database)).find(secret)
        finally:
            await database.aclose()

    return asyncio.run(find())


def test_a_key_is_made_shown_once_and_listed_without_its_secret(keys: Keys, tmp_path: Path) -> None:
    made = keys("create", "CI of the shop", "--tenant", "acme", "--daily-usd", "2.5")
    secret = made.out.strip()
    assert parsed_secret(secret) is not None
    assert "it is not shown again" in made.err
    assert secret not in made.err
    key = opens(tmp_path, secret)
    assert key is not None
    assert (key.name, key.tenant, key.daily_usd) == ("CI of the shop", "acme", 2.5)
    for listed in (keys(), keys("list", "--json")):
        assert key.id in listed.out
        assert secret[-49:] not in listed.out
        assert "sha256" not in listed.out
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("continuo.db*"))
    assert secret[-49:].encode() not in stored


def test_every_term_of_a_key_can_be_given(keys: Keys) -> None:
    terms = (
        "--models=gpt-*", "--models=claude-opus-5", "--patterns=support", "--priority=batch", "--daily-usd=1",
        "--monthly-usd=20", "--requests-per-minute=60", "--tokens-per-minute=90000", "--concurrency=8",
        "--prefer=cost", "--weight=2", "--admin", "--role=operator", "--expires=90d",
    )  # fmt: skip
    made = loaded(keys, "create", "all", "--tenant=acme", *terms)
    left = datetime.fromisoformat(made.pop("expires")) - datetime.now(UTC)
    assert 89.9 < left.total_seconds() / 86400 <= 90
    assert {name: made[name] for name in made if name not in ("id", "secret", "created")} == {
        "name": "all",
        "tenant": "acme",
        "models": ["gpt-*", "claude-opus-5"],
        "patterns": ["support"],
        "priority": "batch",
        "daily_usd": 1.0,
        "monthly_usd": 20.0,
        "requests_per_minute": 60,
        "tokens_per_minute": 90000,
        "concurrency": 8,
        "prefer": "cost",
        "weight": 2.0,
        "admin": True,
        "role": "operator",
    }
    assert {*made} | {"expires"} == {*ApiKey.model_fields, "secret"}


def test_a_revoked_key_opens_nothing_and_is_listed_as_such(keys: Keys, tmp_path: Path) -> None:
    made = loaded(keys, "create", "one", "--tenant", "acme")
    loaded(keys, "create", "other", "--tenant", "globex")
    assert keys("revoke", made["id"]).out == f"revoked {made['id']}\n"
    assert opens(tmp_path, made["secret"]) is None
    assert [one["status"] for one in loaded(keys, "list")] == ["revoked", "active"]
    assert [one["name"] for one in loaded(keys, "list", "--tenant", "globex")] == ["other"]


def test_a_rotated_key_opens_by_both_secrets_and_without_grace_by_the_new_one(keys: Keys, tmp_path: Path) -> None:
    first = loaded(keys, "create", "one")
    second = keys("rotate", first["id"])
    assert "its former secret works until" in second.err
    assert opens(tmp_path, first["secret"]) == opens(tmp_path, second.out.strip()) is not None
    third = loaded(keys, "rotate", first["id"], "--grace", "0s")
    assert third["id"] == first["id"]
    assert opens(tmp_path, third["secret"]) is not None
    assert opens(tmp_path, second.out.strip()) is None
    assert opens(tmp_path, first["secret"]) is None


def test_a_tenants_secret_of_webhooks_is_always_the_same_and_no_other_tenants(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, again, other = (keys("webhook-secret", tenant).out for tenant in ("acme", "acme", "globex"))
    assert acme.startswith("whsec_")
    assert acme == again != other
    monkeypatch.delenv("CONTINUO_WEBHOOK_KEY")
    assert "CONTINUO_WEBHOOK_KEY is not set; set it to 32" in keys("webhook-secret").err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("webhook-secret", "a/b"), "tenant: 'a/b' is no tenant's name"),
        (("create", "x", "--tenant", "a/b"), "tenant: 'a/b' is no tenant's name"),
        (("create", "x", "--daily-usd", "-1"), "daily_usd: Input should be greater than or equal to 0"),
        (("create", "x", "--concurrency", "0"), "concurrency: Input should be greater than or equal to 1"),
        (("create", "x", "--expires", "soon"), "--expires: 'soon' is not a duration"),
        (("create", "x", "--expires", "2020-01-01"), "--expires: 2020-01-01 is over"),
        (("create", "x", "--expires", "2027-13-01"), "--expires: '2027-13-01' is no moment"),
        (("create", "x", "--expires", "99999d"), "--expires: 99999d is more than 3650 days"),
        (("create", "\n"), "name: "),
        (("revoke", "nobody"), "id: no key has the id 'nobody'; see `continuo keys list`"),
        (("rotate", "nobody"), "id: no key has the id 'nobody'"),
        (("rotate", "nobody", "--grace", "long"), "--grace: 'long' is not a duration"),
    ],
)
def test_wrong_input_is_one_line_that_names_the_field(keys: Keys, arguments: tuple[str, ...], error: str) -> None:
    result = keys(*arguments)
    assert (result.code, result.err.count("\n"), result.out) == (2, 1, "")
    assert error in result.err


def test_before_there_is_any_key_it_is_said_how_to_make_one(keys: Keys) -> None:
    assert "continuo keys create" in keys("list").out
