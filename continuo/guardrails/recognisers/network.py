"""Addresses of machines: public IP addresses of both versions, and MAC addresses."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.context import WORD, joined, words
from continuo.guardrails.recognisers.folded import Folded
from continuo.regex import of_bytes

FOUR = of_bytes(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}")
SIX = of_bytes(r"[0-9A-Fa-f:]*:[0-9A-Fa-f]*:[0-9A-Fa-f:]*(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3})?")
MAC = of_bytes(r"[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:\.[0-9A-Fa-f]{4}){2})")
NO_MACHINE = frozenset(("000000000000", "ffffffffffff"))

VERSIONS = words(
    "v", "ver", "version*", "versión", "versão", "versione", "versie", "release*", "build", "firmware", "driver",
    "upgrade*", "update to", "updated to", "section*", "chapter*", "clause", "paragraph", "kapitel", "abschnitt", "oid",
    "assembly", "requires",
)  # fmt: skip
"""What is said of 1.2.3.4 that is a version or a section; close before it."""
PACKAGE = re.compile(r"(?:[A-Za-z]/|[=~<>!^]=|[A-Za-z0-9][-_@]|[§vV~^>])\s?$")
"""As of 1.2.3.4 in `Chrome/1.2.3.4`, `name==1.2.3.4`, `name-1.2.3.4`."""


def ip(view: Folded) -> Iterator[Finding]:
    data = view.data
    if data.count(b".") >= 3:
        for match in FOUR.finditer(data):
            start, end = match.span()
            if not _longer(data, start, end, b".") and _public_four(view.text, start, end):
                yield Finding("IP", start, end)
    if data.count(b":") >= 2:
        for match in SIX.finditer(data):
            start, end = match.span()
            if end - start <= 45 and not _longer(data, start, end, b":") and _public_six(data[start:end]):
                yield Finding("IP", start, end)


def mac(view: Folded) -> Iterator[Finding]:
    for match in MAC.finditer(view.data):
        start, end = match.span()
        text = view.text[start:end]
        if not _longer(view.data, start, end, b":-.") and re.sub(r"[.:-]", "", text).lower() not in NO_MACHINE:
            yield Finding("MAC", start, end)


def _longer(data: bytes, start: int, end: int, separators: bytes) -> bool:
    """Whether it is a part of something longer, such as 1.2.3.4.5 or a fingerprint."""
    if joined(data, start, end):
        return True
    before, after = data[max(0, start - 2) : start], data[end : end + 2]
    return (len(before) == 2 and before[1] in separators and before[0] in WORD) or (
        len(after) == 2 and after[0] in separators and after[1] in WORD
    )


def _public_four(text: str, start: int, end: int) -> bool:
    try:
        address = IPv4Address(text[start:end])
    except ValueError:
        return False
    before = text[max(0, start - 24) : start]
    public = address.is_global and not address.is_multicast
    return public and not PACKAGE.search(before) and not VERSIONS.search(before[-16:])


def _public_six(data: bytes) -> bool:
    if data.count(b":") < 2:
        return False
    try:
        address = IPv6Address(data.decode("ascii"))
    except ValueError:
        return False
    if address.ipv4_mapped:
        return address.ipv4_mapped.is_global
    # All that were given out so far; `face::bad` in code is none.
    return address.is_global and int(address) >> 125 == 1
