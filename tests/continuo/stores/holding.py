"""`python -m tests.continuo.stores.holding`: a gateway that holds the one place of a key until it is killed."""

import asyncio

from continuo.access import limits
from continuo.config.settings import Settings, environment
from continuo.stores.opened import open_store, opened_limits
from tests.continuo.stores.test_key_limits import SHORT, key


async def main() -> None:
    limits.LEASE = SHORT
    settings, environ = Settings(), environment()
    store = open_store(settings, environ)
    async with opened_limits(settings, environ, store) as limit_store, limits.KeyLimits(limit_store) as ours:
        print(type(await ours.admit(key(concurrency=1), 1)).__name__, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
