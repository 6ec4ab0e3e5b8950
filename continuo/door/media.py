"""Media that somebody sends: read from files, and kept where the pools find them before a run starts."""

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.errors import InputError
from continuo.parts import MAX_MEDIA_BYTES, Media
from continuo.stores.database import StoreUnavailable
from continuo.stores.opened import opened_payloads
from continuo.stores.payloads import Payloads
from continuo.temporal.namespace import namespace_of
from continuo.temporal.payloads import ADVICE

NO_MEDIA: Mapping[Media, bytes] = {}


def content_of_file(path: Path) -> bytes:
    """The file's content, or a little more of it than may be sent. Raises `InputError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_MEDIA_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name a file that exists") from None


async def keep(client: Client, settings: Settings, media: Mapping[Media, bytes]) -> None:
    """Keep the content where the pools of this client's namespace find it. Raises `InputError` where that fails."""
    if not media:
        return
    namespace, contents = await namespace_of(client), {part.sha256: content for part, content in media.items()}
    try:
        async with opened_payloads(settings, environment()) as database:
            await Payloads(database, namespace.id).keep(contents, time.time())
    except (OSError, sqlite3.Error, StoreUnavailable) as error:
        raise InputError(f"cannot keep the media: {error}; {ADVICE}") from None
