"""The contract of the API keys, on every SQL store."""

from datetime import UTC, datetime, timedelta

import pytest

from continuo.errors import InputError
from continuo.protection.api_keys import ApiKey, Secret, new_secret
from continuo.stores.api_keys import ApiKeys
from continuo.stores.database import Database

NOW = datetime(2026, 11, 26, tzinfo=UTC)


async def created(keys: ApiKeys, id: str, **fields: object) -> Secret:
    """The secret of a new key with that id."""
    secret = new_secret(id)
    values = {"id": id, "name": "ci", "tenant": "acme", "created": NOW, **fields}
    await keys.create(ApiKey.model_validate(values), secret)
    return secret


async def test_a_key_is_kept_with_all_that_it_may_do_and_without_its_secret(database: Database) -> None:
    keys = ApiKeys(database)
    terms = {"models": ("gpt-*",), "daily_usd": 1.5, "weight": 2.0, "admin": True, "expires": NOW}
    secret = await created(keys, "a" * 12, **terms)
    [stored] = await keys.all()
    assert stored.key.model_dump(include=set(terms)) == terms
    assert stored.sha256 == secret.digest
    assert secret.text not in str(await database.read("SELECT * FROM api_keys"))


async def test_a_tenant_has_several_keys_the_oldest_first(database: Database) -> None:
    keys = ApiKeys(database)
    await created(keys, "b" * 12, created=NOW + timedelta(seconds=1))
    await created(keys, "a" * 12, created=NOW + timedelta(seconds=2))
    await created(keys, "c" * 12)
    assert [stored.key.id[0] for stored in await keys.all()] == ["c", "b", "a"]


async def test_a_rotation_keeps_the_former_secret_for_a_while(database: Database) -> None:
    keys = ApiKeys(database)
    old, new = await created(keys, "a" * 12), new_secret("a" * 12)
    stored = await keys.rotate(new, grace=NOW)
    assert (stored.sha256, stored.previous_sha256, stored.previous_until) == (new.digest, old.digest, NOW)
    assert await keys.all() == [stored]


async def test_a_rotation_that_is_repeated_changes_nothing(database: Database) -> None:
    keys = ApiKeys(database)
    await created(keys, "a" * 12)
    new = new_secret("a" * 12)
    assert await keys.rotate(new, grace=NOW) == await keys.rotate(new, grace=NOW)


async def test_a_revoked_key_stays_as_such_and_cannot_be_rotated(database: Database) -> None:
    keys = ApiKeys(database)
    await created(keys, "a" * 12)
    await keys.revoke("a" * 12, NOW)
    again = await keys.revoke("a" * 12, NOW + timedelta(days=1))
    assert again.revoked == NOW
    with pytest.raises(InputError, match="was revoked"):
        await keys.rotate(new_secret("a" * 12), grace=NOW)


async def test_a_key_that_nobody_has_is_named(database: Database) -> None:
    keys = ApiKeys(database)
    with pytest.raises(InputError, match="no key has the id 'nobody'"):
        await keys.revoke("nobody", NOW)
    with pytest.raises(InputError, match="continuo keys list"):
        await keys.rotate(new_secret("x" * 12), grace=NOW)
