"""Media as a program gives them."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from continuo.decisions.media_type import part_of
from continuo.errors import InputError
from continuo.parts import MAX_MEDIA_BYTES, Media
from continuo.text_file import read_bytes

Medium = str | PathLike[str] | tuple[str, bytes]
"""The path of a file, or a name with the content."""


def media_of(media: Iterable[Medium]) -> dict[Media, bytes]:
    """Each part with its content; it reads files. Raises `InputError` for what cannot be read or sent."""
    return dict(_medium(medium) for medium in media)


def _medium(medium: Medium) -> tuple[Media, bytes]:
    match medium:
        case (str(name), bytes(content)):
            pass
        case str() | PathLike():
            path = Path(medium)
            name, content = path.name, read_bytes(path, MAX_MEDIA_BYTES + 1)
        case _:
            raise InputError(f"media: {str(medium)[:80]!r} is none; give paths, or pairs of a name and bytes")
    return part_of(content, name), content
