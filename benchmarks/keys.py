"""API keys for what is measured."""

from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from continuo.config.settings import Settings
from continuo.protection.api_keys import ApiKey, new_id, new_secret
from continuo.stores.api_keys import ApiKeys
from continuo.stores.opened import open_store


async def new_key(environ: Mapping[str, str], **fields: Any) -> str:
    """The secret of a new key, in the store that the environment names; `fields` are those of an `ApiKey`."""
    secret = new_secret(new_id())
    async with aclosing(open_store(Settings(), environ)) as store:
        await ApiKeys(store).create(ApiKey(id=secret.id, created=datetime.now(UTC), **fields), secret)
    return secret.text
