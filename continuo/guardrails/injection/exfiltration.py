"""Links and images that carry what a model knows to another host when they are shown."""

import re
from collections.abc import Iterator

from continuo.guardrails.injection.signals import Signal

EXFIL = "INJECTION_EXFIL"

_IMAGE = re.compile(r"!\[[^\]\n]{0,200}\]\(?[ \t]{0,3}<?(?:https?:)?//[^\s()<>]{1,2000}", re.IGNORECASE)
_HTML = re.compile(
    r"<(?:img|iframe|script|link)\b[^<>]{0,300}?(?:src|href)[ \t]{0,3}=[ \t]{0,3}[\"']?https?://[^\s\"'<>]{1,2000}",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://[^\s()<>\"']{4,2000}", re.IGNORECASE)
_SLOT = re.compile(
    r"[?&/#=][^\s?&=]{0,60}=?(?:\{\{?[^{}\s]{0,60}\}?\}|\[[A-Za-z_ ]{2,60}\]|<[A-Za-z_ ]{2,60}>|%7B|\$\{"
    r"|\b(?:DATA|SECRET|SUMMARY|HISTORY|CONVERSATION|PROMPT)\b)"
)
"""A place in an address that is to be filled in."""

_CARRIED = re.compile(r"[?&][\w.-]{1,40}=[A-Za-z0-9+/_%=-]{48,}")
"""A long value in its query."""


def exfiltrations(text: str) -> Iterator[Signal]:
    """Those of a text."""
    if "//" not in text:
        return
    for match in [*_IMAGE.finditer(text), *_HTML.finditer(text)]:
        address = match[0]
        following = text[match.end() : match.end() + 80]
        if _SLOT.search(address) or (address.endswith("=") and following[:1] in "{[<"):
            yield Signal(EXFIL, "image-slot", 1.0, *match.span())
        elif _CARRIED.search(address):
            yield Signal(EXFIL, "image-data", 0.6, *match.span())
        elif "?" in address:
            yield Signal(EXFIL, "image-query", 0.2, *match.span())
    for match in _LINK.finditer(text):
        following = text[match.end() : match.end() + 1]
        if _SLOT.search(match[0]) or (match[0].endswith("=") and following in "{[<" and following):
            yield Signal(EXFIL, "link-slot", 0.5, *match.span())
