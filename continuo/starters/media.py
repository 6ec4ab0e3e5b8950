"""Media that a person names on the command line: read and checked before a run starts."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from continuo.decisions.media_type import part_of
from continuo.errors import InputError
from continuo.parts import MAX_MEDIA_BYTES, Media
from continuo.text_file import read_bytes


async def read_media(paths: Mapping[str, Sequence[str] | None], hosts: str) -> dict[Media, bytes]:
    """Each medium with its content; `paths` are files, or addresses of `hosts`, by the kind of part that they must be:
    image, audio or file.

    Raises `InputError` for one that cannot be read, is too large, or is of another type.
    """
    media: dict[Media, bytes] = {}
    for kind, files in paths.items():
        for path in files or ():
            content = await _fetched(path, hosts) if "://" in path else read_bytes(Path(path), MAX_MEDIA_BYTES + 1)
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
