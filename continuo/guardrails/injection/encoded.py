"""What is written so that a filter does not read it and a model does: base64, hexadecimal and the like."""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

from continuo.guardrails.injection.hidden import Inner
from continuo.regex import BytesRegex, as_bytes, of_bytes

CODED = "INJECTION_ENCODED"

_RUN = of_bytes(r"[A-Za-z0-9+/_-]{20,}={0,6}")
_HEX = re.compile(r"(?<![0-9A-Fa-f])(?:0x)?(?:[0-9A-Fa-f]{2}[ :]){11,}[0-9A-Fa-f]{2}")
_BINARY = re.compile(r"(?<![01])(?:[01]{8} ?){9,}[01]{8}")
_SPACED = re.compile(r"(?<!\w)(?:[A-Za-z][ .*\-_|]{1,3}){8,}[A-Za-z](?!\w)")
_ESCAPES = of_bytes(r"(?:\\u\{?[0-9A-Fa-f]{4}\}?|\\x[0-9A-Fa-f]{2}){6,}")
_ENTITIES = of_bytes(r"(?:&#x?[0-9A-Fa-f]{2,6};){6,}")
_PERCENT = of_bytes(r"(?:%[0-9A-Fa-f]{2}){8,}")
_IN_URL = re.compile(r"(?<![A-Za-z])(?:[A-Za-z]{1,20}%20){3,}[A-Za-z%0-9]{1,100}")

MOST = 200_000
"""Characters that are decoded of one text."""


def _printable(octets: bytes) -> str | None:
    """The text, if the octets are one that a person could read."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return None
    plain = sum(one.isprintable() or one.isspace() for one in text)
    return text if len(text) >= 8 and plain == len(text) else None


def _run(written: str) -> str | None:
    """Of hexadecimal digits, else of base32, else of base64."""
    plain = written.rstrip("=")
    try:
        if re.fullmatch("(?:0x)?(?:[0-9A-Fa-f]{2}){10,}", plain):
            return _hex(plain)
        if re.fullmatch("[A-Z2-7]{20,}", plain):
            return _printable(base64.b32decode(plain + "=" * (-len(plain) % 8)))
        whole = plain[: len(plain) - (len(plain) % 4 == 1)].replace("-", "+").replace("_", "/")
        return _printable(base64.b64decode(whole + "=" * (-len(whole) % 4)))
    except (binascii.Error, ValueError):
        return None


def _hex(written: str) -> str | None:
    return _printable(bytes.fromhex(re.sub("0x|[ :]", "", written)))


def _binary(written: str) -> str | None:
    plain = written.replace(" ", "")
    return _printable(bytes(int(plain[at : at + 8], 2) for at in range(0, len(plain) - 7, 8)))


def _escapes(written: str) -> str | None:
    return "".join(chr(int(one, 16)) for one in re.findall(r"[ux]\{?([0-9A-Fa-f]{2,4})", written))


def _spaced(written: str) -> str | None:
    """Letters with spaces between them; wider spaces, if there are any, stand between words."""
    words = re.split(r"[ .*\-_|]{2,}", written)
    return " ".join(re.sub(r"[ .*\-_|]", "", word) for word in words)


class Code(NamedTuple):
    """`sign` is a part of each that is `written`, if it is not that itself: quicker, and most texts have none."""

    name: str
    decode: Callable[[str], str | None]
    sign: BytesRegex
    written: re.Pattern[str] | None = None

    def spans(self, text: str, data: bytes) -> Iterator[tuple[int, int]]:
        """Where such codes stand in a text, of which `data` has a byte for each character."""
        if self.written is None:
            return (match.span() for match in self.sign.finditer(data))
        return (match.span() for match in self.written.finditer(text)) if self.sign.search(data) else iter(())


CODES = (
    Code("run", _run, _RUN),
    Code("hex", _hex, of_bytes("(?:[0-9A-Fa-f]{2}[ :]){11}[0-9A-Fa-f]{2}"), _HEX),
    Code("binary", _binary, of_bytes("(?:[01]{8} ?){9}[01]{8}"), _BINARY),
    Code("spaced", _spaced, of_bytes(r"(?:[A-Za-z][ .*\-_|]{1,3}){8}[A-Za-z]"), _SPACED),
    Code("escapes", _escapes, _ESCAPES),
    Code("entities", html.unescape, _ENTITIES),
    Code("percent", unquote, _PERCENT),
    Code("percent", unquote, of_bytes("(?:[A-Za-z]{1,20}%20){3}"), _IN_URL),
)


def encoded(text: str) -> Iterator[Inner]:
    """What is encoded in a text, as far as it is itself a text."""
    data, left = as_bytes(text), MOST
    for code in CODES:
        for start, end in code.spans(text, data):
            left -= end - start
            if left < 0:
                return
            if plain := code.decode(text[start:end]):
                yield Inner(plain, start, end, CODED, code.name, 0.0)
