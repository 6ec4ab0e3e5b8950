"""Addresses of Bitcoin, by their checksums, and of Ethereum, by their form."""

from collections.abc import Iterator

from stdnum import bitcoin

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.context import joined
from continuo.guardrails.recognisers.folded import Folded
from continuo.regex import of_bytes

BITCOIN = of_bytes(
    r"\b(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{8,87}"
    r"|BC1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{8,87})\b"
)
ETHEREUM = of_bytes(r"\b0x[0-9A-Fa-f]{40}\b")
BECH32M = 0x2BC830A3
"""What the checksum of an address of witness version 1 and above leaves."""


def crypto(view: Folded) -> Iterator[Finding]:
    data = view.data
    for match in BITCOIN.finditer(data):
        start, end = match.span()
        if not joined(data, start, end) and _is_bitcoin(data[start:end].decode("ascii")):
            yield Finding("CRYPTO", start, end)
    if b"0x" not in data:
        return
    for match in ETHEREUM.finditer(data):
        start, end = match.span()
        if len(set(data[start + 2 : end].lower())) > 2:
            yield Finding("CRYPTO", start, end)


def _is_bitcoin(text: str) -> bool:
    if text[:4].lower() in ("bc1q",) or text[0] in "13":
        return bool(bitcoin.is_valid(text))
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    values = [alphabet.index(character) for character in text[3:].lower()]
    return bitcoin.bech32_checksum([3, 3, 0, 2, 3, *values]) == BECH32M
