"""Media that somebody sends are kept where the pools find them before a run starts."""

import sqlite3
import time
from collections.abc import Mapping

from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.errors import InputError
from continuo.parts import Media
from continuo.stores.database import StoreUnavailable
from continuo.stores.opened import opened_payloads
from continuo.stores.payloads import Payloads
from continuo.temporal.namespace import namespace_of
from continuo.temporal.payloads import ADVICE

NO_MEDIA: Mapping[Media, bytes] = {}


async def keep(client: Client, settings: Settings, media: Mapping[Media, bytes], owner: str | None = None) -> None:
    """Keep the content where the pools of this client's namespace find it, for the run with the id `owner`. Raises
    `InputError` where that fails."""
    if not media:
        return
    namespace, contents = await namespace_of(client), {part.sha256: content for part, content in media.items()}
    try:
        async with opened_payloads(settings, environment()) as database:
            await Payloads(database, namespace.id).keep(contents, time.time(), owner)
    except (OSError, sqlite3.Error, StoreUnavailable) as error:
        raise InputError(f"cannot keep the media: {error}; {ADVICE}") from None
