"""What media are, by their own bytes and not by a name: the part of a message that stands for them."""

import re
from collections.abc import Callable
from hashlib import sha256
from struct import error as Cut
from struct import unpack_from
from typing import Any

from continuo.errors import InputError
from continuo.parts import MAX_MEDIA_BYTES, MAX_SIDE, Audio, File, Image, Media

SLOWEST = 4_000
"""Bytes a second of the slowest MP3 file that is common, for speech: none is taken for shorter than it is."""

FASTEST = 176_400
"""Bytes a second of a WAV file, at most."""

SMALLEST_PAGE = 5_000
"""Bytes of a page of a PDF file that does not tell how many it has: newer ones pack that away."""

_PAGES = re.compile(rb"/Type\s*/Pages\b[^>]{0,200}?/Count\s+(\d{1,6})|/Count\s+(\d{1,6})[^>]{0,200}?/Type\s*/Pages\b")
_PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")


def part_of(content: bytes, name: str) -> Media:
    """The part for `content`; `name` is shown to models and in errors.

    Raises `InputError` for what is empty, too large, cut, or of a type that no model is given.
    """
    if not content:
        raise InputError(f"{name} is empty; name a file with content")
    if len(content) > MAX_MEDIA_BYTES:
        raise InputError(f"{name} has {len(content):,} bytes, more than {MAX_MEDIA_BYTES:,}; make it smaller")
    blob: dict[str, Any] = {"sha256": sha256(content).hexdigest(), "size": len(content), "name": name[-200:]}
    for media_type, size_of in _IMAGES.items():
        try:
            size = size_of(content)
        except Cut:
            size = (0, 0)
        if size is not None:
            if not all(size):
                raise InputError(f"{name} begins as {media_type} but is cut or broken; send the whole file")
            if max(size) > MAX_SIDE:
                raise InputError(f"{name} is more than {MAX_SIDE:,} pixels wide or high; make it smaller")
            return Image(media_type=media_type, width=size[0], height=size[1], **blob)
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return Audio(media_type="audio/wav", seconds=len(content) / _wav_rate(content, name), **blob)
    if _is_mp3(content):
        return Audio(media_type="audio/mpeg", seconds=len(content) / SLOWEST, **blob)
    if b"%PDF-" in content[:1024]:
        return File(media_type="application/pdf", pages=_pages(content), **blob)
    if _is_text(content):
        return File(media_type="text/plain", **blob)
    accepted = "images as PNG, JPEG, WebP or GIF, audio as WAV or MP3, and files as PDF or text in UTF-8"
    raise InputError(f"{name} is of a type that is not taken; {accepted} are")


def _png(content: bytes) -> tuple[int, int] | None:
    return unpack_from(">II", content, 16) if content.startswith(b"\x89PNG\r\n\x1a\n") else None


def _gif(content: bytes) -> tuple[int, int] | None:
    return unpack_from("<HH", content, 6) if content[:6] in (b"GIF87a", b"GIF89a") else None


def _webp(content: bytes) -> tuple[int, int] | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    if content[12:16] == b"VP8X":
        # Three bytes each, less one.
        low, high, low_height, high_height = unpack_from("<HBHB", content, 24)
        return low + (high << 16) + 1, low_height + (high_height << 16) + 1
    if content[12:16] == b"VP8L":
        (bits,) = unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = unpack_from("<HH", content, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(content: bytes) -> tuple[int, int] | None:
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    at = 2
    while True:
        mark, kind, length = unpack_from(">BBH", content, at)
        if mark != 0xFF:
            return 0, 0
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = unpack_from(">HH", content, at + 5)
            return width, height
        at += 1 if kind == 0xFF else 2 + length


_IMAGES: dict[str, Callable[[bytes], tuple[int, int] | None]] = {
    "image/png": _png,
    "image/gif": _gif,
    "image/webp": _webp,
    "image/jpeg": _jpeg,
}


def _wav_rate(content: bytes, name: str) -> int:
    """Bytes a second."""
    start = content.find(b"fmt ", 12, 4096)
    rate: int = unpack_from("<I", content, start + 16)[0] if 0 < start <= len(content) - 20 else 0
    if not rate:
        raise InputError(f"{name} begins as audio/wav but is cut or broken; send the whole file")
    # No more than of a compact disc, or a file that boasts would pass for shorter than it is.
    return min(rate, FASTEST)


def _is_mp3(content: bytes) -> bool:
    """A tag, or the first eleven bits of a frame and the two that say layer III."""
    return content.startswith(b"ID3") or (
        len(content) > 3 and content[0] == 0xFF and content[1] & 0xE0 == 0xE0 and content[1] & 0x06 == 0x02
    )


def _pages(content: bytes) -> int:
    counts = [int(one or other) for one, other in _PAGES.findall(content)]
    return max([*counts, len(_PAGE.findall(content))]) or -(-len(content) // SMALLEST_PAGE)


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False
