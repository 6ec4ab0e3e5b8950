"""A process knows the keys without asking the store, and learns what has changed."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from continuo.access import ring as ring_module
from continuo.access.ring import KeyRing
from continuo.protection.api_keys import StoredKey, new_secret
from continuo.stores.api_keys import ApiKeys
from continuo.stores.database import Database, StoreUnavailable
from continuo.testing.processes import until
from tests.continuo.stores.test_api_keys import created

ID = "a" * 12

# What it reads is the same of every store, see test_api_keys.py.
pytestmark = pytest.mark.parametrize("store_environ", ["sqlite"], indirect=True)


class Counted(ApiKeys):
    """Counts how often it is read, and can be away."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.reads = 0
        self.away = False

    async def all(self) -> list[StoredKey]:
        self.reads += 1
        if self.away:
            raise StoreUnavailable("the server restarts")
        return await super().all()


@pytest.fixture
def keys(database: Database) -> Counted:
    return Counted(database)


async def test_a_warm_ring_asks_no_store(keys: Counted) -> None:
    secret, ring = await created(keys, ID), KeyRing(keys)
    for _ in range(1000):
        key = await ring.find(secret.text)
        assert key is not None
        assert key.id == ID
    assert keys.reads <= 2


async def test_a_key_that_was_just_created_and_a_secret_that_is_new_are_known_at_once(
    keys: Counted, database: Database
) -> None:
    ring, other = KeyRing(keys), ApiKeys(database)
    assert await ring.find(new_secret(ID).text) is None
    old = await created(other, ID)
    assert await ring.find(old.text) is not None
    new = new_secret(ID)
    await other.rotate(new, grace=datetime.now(UTC) + timedelta(hours=1))
    assert await ring.find(new.text) is not None
    assert await ring.find(old.text) is not None


async def test_a_key_that_another_process_revokes_opens_nothing_within_5_seconds(
    keys: Counted, database: Database
) -> None:
    secret, ring = await created(keys, ID), KeyRing(keys)
    assert await ring.find(secret.text) is not None
    await ApiKeys(database).revoke(ID, datetime.now(UTC))

    async def refused() -> bool:
        return await ring.find(secret.text) is None

    await until(refused, timeout=5)


async def test_a_ring_that_was_idle_reads_before_it_answers(keys: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "STALE", 0.0)
    secret, ring = await created(keys, ID), KeyRing(keys)
    assert await ring.find(secret.text) is not None
    await keys.revoke(ID, datetime.now(UTC))
    assert await ring.find(secret.text) is None


async def test_guesses_share_few_looks_into_the_store_and_typing_errors_need_none(keys: Counted) -> None:
    secret, ring = await created(keys, ID), KeyRing(keys)
    assert await ring.find(secret.text[:-1] + ("a" if secret.text[-1] != "a" else "b")) is None
    assert await ring.find("") is None
    assert keys.reads == 0
    started = time.monotonic()
    guesses = [ring.find(new_secret(ID if n % 2 else "b" * 12).text) for n in range(200)]
    assert await asyncio.gather(*guesses) == [None] * 200
    assert keys.reads <= 2 + (time.monotonic() - started) / ring_module.PAUSE


async def test_a_key_expires_without_a_look_into_the_store(keys: Counted) -> None:
    secret = await created(keys, ID, expires=datetime.now(UTC) + timedelta(seconds=0.3))
    ring = KeyRing(keys)

    async def refused() -> bool:
        return await ring.find(secret.text) is None

    assert not await refused()
    await until(refused, timeout=5)


async def test_while_the_store_is_away_only_what_is_fresh_is_known(
    keys: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, ring = await created(keys, ID), KeyRing(keys)
    assert await ring.find(secret.text) is not None
    keys.away = True
    assert await ring.find(secret.text) is not None
    monkeypatch.setattr(ring_module, "STALE", 0.0)
    with pytest.raises(StoreUnavailable):
        await ring.find(secret.text)
    keys.away = False
    assert await ring.find(secret.text) is not None
