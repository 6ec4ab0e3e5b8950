"""`python -m tests.continuo.stores.holding`: a gateway that holds the one place of a key until it is killed."""

import asyncio
from datetime import UTC, datetime

from continuo.access import limits
from continuo.config.settings import Settings, environment
from continuo.protection.api_keys import ApiKey
from continuo.stores.opened import open_store, opened_limits

SHORT = 0.9
"""Seconds of a lease that a test can wait for."""


def key(**fields: object) -> ApiKey:
    values = {"id": "abcdefghijkl", "name": "ci", "tenant": "acme", "created": datetime(2026, 11, 26, tzinfo=UTC)}
    return ApiKey.model_validate({**values, **fields})


async def main() -> None:
    limits.LEASE = SHORT
    settings, environ = Settings(), environment()
    store = open_store(settings, environ)
    async with opened_limits(settings, environ, store) as limit_store, limits.KeyLimits(limit_store) as ours:
        print(type(await ours.admit(key(concurrency=1), 1)).__name__, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
