"""Small media of every type that is taken."""

import random
import wave
import zlib
from hashlib import sha256
from io import BytesIO
from struct import pack

from continuo.decisions.media_type import part_of
from continuo.parts import Media


def png(width: int = 4, height: int = 3, *, seed: int = 0) -> bytes:
    """An image of noise, the same for the same seed: no part of it can be packed, nor stand anywhere by chance."""
    noise = random.Random(seed)
    rows = b"".join(b"\0" + noise.randbytes(3 * width) for _ in range(height))
    head = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def wav(seconds: int = 1, rate: int = 8_000) -> bytes:
    """Silence of one byte a sample."""
    written = BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((1, 1, rate, 0, "NONE", "NONE"))
        file.writeframes(bytes(rate * seconds))
    return written.getvalue()


PDF = b"%PDF-1.4\n1 0 obj <</Type /Pages /Count 3 /Kids []>> endobj\n%%EOF"
MP3 = b"\xff\xfb\x90\x00" + bytes(8_000)
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x03\x00\x04" + bytes(20)
GIF = b"GIF89a\x04\x00\x03\x00" + bytes(20)
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x02\x00\x00"

SAMPLES: dict[str, bytes] = {
    "image/png": png(),
    "image/jpeg": JPEG,
    "image/gif": GIF,
    "image/webp": WEBP,
    "audio/wav": wav(),
    "audio/mpeg": MP3,
    "application/pdf": PDF,
    "text/plain": "Grüße".encode(),
}


def contents(*samples: bytes) -> dict[str, bytes]:
    return {sha256(sample).hexdigest(): sample for sample in samples}


def part(sample: bytes, name: str = "sample") -> Media:
    return part_of(sample, name)
