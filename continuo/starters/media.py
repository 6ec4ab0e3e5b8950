"""Media that a person sends: read and checked before a run starts, and kept where its pools find them."""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.decisions.media_type import part_of
from continuo.errors import InputError
from continuo.parts import MAX_MEDIA_BYTES, Media
from continuo.stores.database import StoreUnavailable
from continuo.stores.opened import opened_payloads
from continuo.stores.payloads import Payloads
from continuo.temporal.namespace import namespace_of
from continuo.temporal.payloads import ADVICE


async def read_media(paths: Mapping[str, Sequence[str] | None], hosts: str) -> dict[Media, bytes]:
    """Each medium with its content; `paths` are files, or addresses of `hosts`, by the kind of part that they must be:
    image, audio or file.

    Raises `InputError` for one that cannot be read, is too large, or is of another type.
    """
    media: dict[Media, bytes] = {}
    for kind, files in paths.items():
        for path in files or ():
            content = await _fetched(path, hosts) if "://" in path else _content(path)
            # What follows the path of an address may be a key, and the name is in the history.
            part = part_of(content, PurePosixPath(urlsplit(path).path).name if "://" in path else Path(path).name)
            if part.kind != kind:
                raise InputError(f"--{kind} {path} holds {part.media_type}; send it as --{part.kind}")
            media[part] = content
    return media


async def _fetched(address: str, hosts: str) -> bytes:
    # Loaded here: a run that names files alone need not wait for the HTTP library.
    from continuo.starters.fetched import fetched

    return await fetched(address, hosts)


def _content(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
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
