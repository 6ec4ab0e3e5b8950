"""IBANs: the country's length and form, and the check digits."""

import re
from collections.abc import Iterator
from functools import cache

from stdnum import iban as ibans
from stdnum import numdb

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.context import WORD, joined
from continuo.guardrails.recognisers.folded import Folded
from continuo.regex import of_bytes

START = of_bytes(r"\b[A-Za-z]{2}[0-9]{2}")
LONGEST = 80
"""Characters of one, with what stands between."""


def iban(view: Folded) -> Iterator[Finding]:
    data, last = view.data, 0
    for match in START.finditer(data):
        start = match.span()[0]
        length = _length(data[start : start + 2].decode("ascii").upper())
        if start < last or length is None or (start and data[start - 1] in WORD):
            continue
        end = _end(data, start, length)
        if end is None or joined(data, start, end, before=()):
            continue
        if ibans.is_valid(re.sub(r"[ -]", "", data[start:end].decode("ascii")), check_country=False):
            last = end
            yield Finding("IBAN", start, end)


def _end(data: bytes, start: int, length: int) -> int | None:
    """Where so many letters and digits end, with single spaces or dashes between them."""
    for place in range(start, min(len(data), start + LONGEST)):
        if data[place] in b" -":
            if data[place - 1] in b" -":
                return None
            continue
        if data[place] == 0xFF or data[place] not in WORD:
            return None
        length -= 1
        if not length:
            return place + 1
    return None


@cache
def _length(country: str) -> int | None:
    """How many letters and digits one of the country has."""
    info = dict(numdb.get("iban").info(country)[0][1])
    form = info.get("bban")
    return 4 + sum(int(size) for size in re.findall(r"\d+", form)) if form else None
