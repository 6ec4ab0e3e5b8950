"""The words around a finding, and the characters beside it."""

import re
from collections.abc import Iterable

from continuo.regex import Regex, compiled

WORD = frozenset(b"0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\xff")
DIGITS = frozenset(b"0123456789")
UNSPACED = "\u2e80"
"""Words from here on are of scripts without spaces."""


def words(*of: str) -> Regex:
    """Matches one of the words, in small or capital letters, where no letter or digit goes on beside it; a word may end
    in `*`, as `birth*`, and go on. Those of a script that puts no space between words stand anywhere.
    """
    spaced = "|".join(_word(one) for one in of if one < UNSPACED)
    return compiled("|".join((rf"(?i)(?:^|[^\pL\pN])(?:{spaced})", *(one for one in of if one >= UNSPACED))))


def _word(word: str) -> str:
    inner = re.escape(word.removesuffix("*")).replace(r"\ ", r"[\s_\-]{0,2}")
    return inner if word.endswith("*") else rf"{inner}(?:[^\pL\pN]|$)"


def beside(text: str, start: int, end: int, *, of: Regex, before: int = 48, after: int = 24) -> bool:
    """Whether one of the words is at most so many characters away."""
    return bool(of.search(text[max(0, start - before) : start]) or of.search(text[end : end + after]))


def joined(data: bytes, start: int, end: int, *, before: Iterable[int] = WORD, after: Iterable[int] = WORD) -> bool:
    """Whether what stands there goes on: a character of these is just before or after it."""
    return (start > 0 and data[start - 1] in before) or (end < len(data) and data[end] in after)


def numbered(data: bytes, start: int, end: int) -> bool:
    """Whether it is a part of a longer word or number, such as 1.2.3 or 1-2."""
    if joined(data, start, end):
        return True
    before, after = data[max(0, start - 2) : start], data[end : end + 2]
    return (len(before) == 2 and before[1] in b"-./," and before[0] in DIGITS) or (
        len(after) == 2 and after[0] in b"-./," and after[1] in DIGITS
    )


OTHER_NUMBERS = words(
    "order*", "invoice*", "ticket*", "account*", "acct", "ref*", "id", "ids", "sku", "isbn", "issn", "ean", "upc",
    "serial*", "tracking*", "parcel", "shipment", "case", "batch", "lot", "part", "model", "version*", "build",
    "epoch", "timestamp*", "ts", "unix", "hash", "commit", "bestell*", "rechnung*", "kunden*", "konto*", "auftrag*",
    "commande", "facture", "pedido", "factura", "ordine", "fattura", "bestelling", "factuur", "routing",
    "transaction*", "port", "pid", "seed", "coordinates", "lat*", "lon*", "po box", "doi", "item", "imei",
)  # fmt: skip
"""What is said before a number that is nobody's."""
