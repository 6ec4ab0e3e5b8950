"""Numbers of payment cards: an issuer's first digits and lengths, and Luhn's check digit."""

import re
from collections.abc import Iterator

from stdnum import luhn

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.context import OTHER_NUMBERS, numbered, words
from continuo.guardrails.recognisers.folded import Folded
from continuo.regex import of_bytes

NUMBER = of_bytes(r"[0-9](?:[ -]?[0-9]){11,}")
GROUP = re.compile(rb"[0-9]+")
LONGEST = 23
"""Characters of one: nineteen digits in five groups."""

ISSUERS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4, 4, (13, 16, 19)),
    (51, 55, (16,)), (2221, 2720, (16,)),
    (34, 34, (15,)), (37, 37, (15,)),
    (300, 305, (14, 16, 19)), (3095, 3095, (14, 16, 19)), (36, 36, (14, 16, 19)), (38, 39, (14, 16, 19)),
    (3528, 3589, (16, 17, 18, 19)),
    (6011, 6011, (16, 19)), (622126, 622925, (16, 19)), (644, 649, (16, 19)), (65, 65, (16, 19)),
    (62, 62, (16, 17, 18, 19)), (81, 81, (16, 17, 18, 19)),
    (5018, 5018, (13, 15, 16, 18, 19)), (5020, 5020, (13, 15, 16, 18, 19)), (5038, 5038, (13, 15, 16, 18, 19)),
    (5893, 5893, (13, 15, 16, 18, 19)), (6304, 6304, (13, 15, 16, 18, 19)), (6759, 6763, (13, 15, 16, 18, 19)),
    (508, 508, (16,)), (60, 60, (16,)), (82, 82, (16,)),
    (2200, 2204, (16, 17, 18, 19)), (9792, 9792, (16,)), (606282, 606282, (16,)),
)  # fmt: skip
"""Of each: the first digits from and up to, and how many digits there are."""
_LENGTHS: dict[str, frozenset[int]] = {}
for _first, _last, _lengths in ISSUERS:
    for _prefix in range(_first, _last + 1):
        _LENGTHS[str(_prefix)] = _LENGTHS.get(str(_prefix), frozenset()) | frozenset(_lengths)

GROUPS = frozenset(
    (
        (4, 4, 4, 4),
        (4, 6, 5),
        (4, 6, 4),
        (4, 4, 4, 4, 3),
        (4, 4, 4, 1),
        (6, 13),
        (8, 8),
        (4, 4, 4, 4, 1),
        (4, 4, 4, 4, 2),
    )
)
"""How the digits are printed, where they are not in one."""


CARD = words(
    "card*",
    "cc",
    "visa",
    "mastercard",
    "amex",
    "maestro",
    "credit",
    "debit",
    "kreditkarte*",
    "karte",
    "carte*",
    "tarjeta*",
    "carta",
    "cartão",
    "kaart",
    "creditcard*",
)
"""With one of these before it, the check digit tells enough."""
OLD = 13
"""Digits of cards of long ago, and of the numbers of goods."""
FIRST = frozenset((4, 6, 8, *range(12, 20)))
"""How many of them there are in the first group, or in all."""


def card(view: Folded) -> Iterator[Finding]:
    data, last = view.data, 0
    for match in NUMBER.finditer(data):
        groups = [group.span() for group in GROUP.finditer(data, *match.span())]
        for number, (start, end) in enumerate(groups):
            if start < last or end - start not in FIRST:
                continue
            ends = [place for _, place in groups[number : number + 5] if 12 <= place - start <= LONGEST]
            for place in reversed(ends):
                if _is_card(view.text, start, place) and not numbered(data, start, place):
                    last = place
                    yield Finding("CARD", start, place)
                    break


def _is_card(text: str, start: int, end: int) -> bool:
    written = text[start:end]
    digits = written.replace(" ", "").replace("-", "")
    separators = {character for character in written if not character.isdigit()}
    if len(separators) > 1 or len(set(digits)) == 1 or not luhn.is_valid(digits):
        return False
    if separators and tuple(map(len, written.split(separators.pop()))) not in GROUPS:
        return False
    before = text[max(0, start - 40) : start]
    issued = any(len(digits) in _LENGTHS.get(digits[:size], ()) for size in (1, 2, 3, 4, 6))
    if issued and not (len(digits) == OLD and OTHER_NUMBERS.search(before[-12:])):
        return True
    return bool(CARD.search(before)) and not OTHER_NUMBERS.search(before[-12:])
