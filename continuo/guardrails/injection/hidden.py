"""What a model reads and a person does not see: characters without a shape, and markup that is not shown."""

import re
from collections.abc import Iterator
from typing import NamedTuple

HIDDEN = "INJECTION_HIDDEN"


class Inner(NamedTuple):
    """A text inside a text, in whose place it stands; `kind` and `name` say how, `weight` what that alone adds."""

    text: str
    start: int
    end: int
    kind: str
    name: str
    weight: float


_TAGS = re.compile("[\U000e0000-\U000e007f]{2,}")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
_FLAG = "\U0001f3f4"
_COMMENT = re.compile(r"<!--(.{1,5000}?)-->", re.DOTALL)
_UNSHOWN = re.compile(
    r"<([a-z][a-z0-9]{0,11})\b[^<>]{0,300}?(?:display\s{0,2}:\s{0,2}none|visibility\s{0,2}:\s{0,2}hidden|font-size\s{0,2}:\s{0,2}0|opacity\s{0,2}:\s{0,2}0"
    r"|color\s{0,2}:\s{0,2}(?:white|#fff|transparent)|\bhidden\b)[^<>]{0,300}>([^<]{1,5000})",
    re.IGNORECASE,
)
_WITH_TEXT = re.compile(
    r"<(?:img|a|div|span)\b[^<>]{0,300}?\b(?:alt|title|aria-label)\s{0,2}=\s{0,2}[\"']([^\"'<>]{20,2000})",
    re.IGNORECASE,
)


def hidden(text: str) -> Iterator[Inner]:
    """What is hidden in a text."""
    # Its bytes are looked through faster than its characters; the first of these begin all of both kinds.
    data = text.encode(errors="surrogatepass")
    if b"\xf3\xa0" in data:
        for match in _TAGS.finditer(text):
            if text[match.start() - 1 : match.start()] == _FLAG:
                continue  # That of a country is written so.
            plain = "".join(chr(ord(one) - 0xE0000) for one in match[0] if 0xE0020 <= ord(one) < 0xE007F)
            yield Inner(plain, *match.span(), HIDDEN, "tag-characters", 0.8)
    if b"\xef\xb8" in data or b"\xf3\xa0" in data:
        for match in _SELECTORS.finditer(text):
            octets = bytes(ord(one) - (0xFE00 if one < "\U000e0000" else 0xE0100 - 16) for one in match[0])
            yield Inner(octets.decode(errors="ignore"), *match.span(), HIDDEN, "selectors", 0.8)
    if "<" in text:
        for match in _COMMENT.finditer(text):
            yield Inner(match[1], *match.span(), HIDDEN, "comment", 0.0)
        for match in _UNSHOWN.finditer(text):
            yield Inner(match[2], *match.span(), HIDDEN, "unshown", 0.2)
        for match in _WITH_TEXT.finditer(text):
            yield Inner(match[1], *match.span(), HIDDEN, "attribute", 0.0)
