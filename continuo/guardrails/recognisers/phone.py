"""Telephone numbers: those with a country's code, and those of the regions asked for."""

import re
from collections.abc import Collection, Iterator

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.context import DIGITS, OTHER_NUMBERS, WORD, words
from continuo.guardrails.recognisers.folded import Folded
from continuo.guardrails.recognisers.phone_plans import international, plan_of
from continuo.regex import Regex, of_bytes

SPAN = of_bytes(r"[+(]{0,2}[0-9](?:(?: ?[./-]? ?\(| ?\)[./-]? ?| ?[./-] ?| )?[0-9]){6,}")
LEAST, MOST = 7, 15
"""Digits of one, with its country's."""

CALL = words(
    "phone*", "telephone*", "messag*", "my number", "new number", "office", "desk", "answer*", "tel", "call*",
    "mobile*", "cell*", "text", "texts", "sms", "fax", "whatsapp*", "signal", "telegram", "dial*", "ring",
    "reach*", "contact*", "hotline", "helpline", "landline", "extension", "handy*", "telefon*", "mobil*",
    "ruf*", "anrufen", "erreichbar", "rückruf", "téléphon*", "portable", "appel*", "joindre", "joignable",
    "numéro", "teléfono*", "móvil", "celular", "llam*", "número", "cellulare", "chiam*", "recapito", "bel",
    "bellen", "telefoon*", "gsm", "nummer", "telefone", "ligue", "telemóvel", "telefono", "zadzwoń",
    "телефон*", "тел", "звон*", "मोबाइल", "फोन", "电话", "電話", "手机", "手機", "携帯", "전화",
)  # fmt: skip
OTHER_KINDS = words("ssn", "social security", "nhs", "iban", "card", "aadhaar", "cpf", "bsn", "steuer*")
UNIT = re.compile(r"\s?(?:€|\$|£|¥|₹|%|°|(?:usd|eur|gbp|kg|km|mm|cm|ms|mb|gb|kb|bytes|rows|hz|px)\b)", re.IGNORECASE)
BEFORE = frozenset(b".#$%&@\\^~*'`-/_?") | WORD
AFTER = frozenset(b"%@+=") | WORD
DATE = re.compile(
    r"(?:19|20)\d\d([-/. ])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:(?:19|20)\d\d|\d\d)(?![-/.]?\d)"
    r"|(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d(?!\d)"
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{6})?(?!\d)"
)
OTHERS = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}(?:/[\d.]+)?"  # an IP address, a network or a version
    r"|\d{3}-\d{2}-\d{4}"  # a social security number
    r"|97[89][- ]?(?:\d[- ]?){10}"  # an ISBN
    r"|\d+\.\d+"  # a decimal number
    r"|\d(?:[ .\-/]\d)*"  # lone digits
    r"|\d+/\d+"  # a fraction
    r"|\d[\d ./-]*(?: [\d/-]*\.|\.[\d/-]* |\.\d*-|-\d*\.)[\d ./-]*"  # numbers with points among others
)
ROW, ROW_READ = re.compile(r"[\d ]+"), 80
PART = re.compile(r"\S+")
EXTENSION = re.compile(
    r",?\s?(?:x|ext\.?|extension|durchwahl|poste|int\.?)\s?:?\s?\d{1,6}(?![\dA-Za-z])", re.IGNORECASE
)
COUNTED = frozenset(
    {str(digit) * size for digit in range(10) for size in range(LEAST, MOST + 1)}
    | {"01234567890123456789"[first:][:size] for first in range(10) for size in range(LEAST, 11)}
)
"""Digits that count or repeat themselves."""
SHORT = 8
"""National numbers of so many digits or fewer need a word beside them, and so do those in one row of digits."""
AMERICAN = re.compile(r"(?:1[-. ]?)?\(?\d{3}\)?[-. ]?\d{3}[-.]\d{4}")
"""How numbers are written in North America, whether they are in use or not."""


def phone(view: Folded, regions: Collection[str]) -> Iterator[Finding]:
    """`regions` are countries as ISO 3166 has them, such as DE, whose national numbers are looked for too."""
    for match in SPAN.finditer(view.data):
        first, last = match.span()
        if last - first > ROW_READ and ROW.fullmatch(view.text, first, last):
            # Of a table of numbers only those that a word stands before are any.
            last = view.data.rfind(b" ", first, first + ROW_READ)
        written = view.data[first:last]
        # What stands in brackets as a whole is a number all the same.
        opened = written.startswith(b"(") and written.count(b"(") > written.count(b")")
        for start, end in _numbers(view, first + opened, last, regions):
            extension = EXTENSION.match(view.text, end, end + 20)
            yield Finding("PHONE", start, extension.end() if extension else end)


def _numbers(view: Folded, start: int, end: int, regions: Collection[str]) -> Iterator[tuple[int, int]]:
    """A row of digits is one number, or one with others beside it: `555-123-4567 24/7`."""
    if _is_phone(view, start, end, regions):
        yield start, end
        return
    parts = [part.span() for part in PART.finditer(view.text, start, end)]
    number = 0
    while number < len(parts):
        first = parts[number][0]
        for after in range(min(len(parts), number + 7), number, -1):
            last = parts[after - 1][1]
            if last - first <= 2 * MOST and _is_phone(view, first, last, regions, among=True):
                yield first, last
                number = after
                break
        else:
            number += 1


def _is_phone(view: Folded, start: int, end: int, regions: Collection[str], *, among: bool = False) -> bool:
    """`among` others it has to look like one more than they do."""
    text, written = view.text, view.text[start:end]
    digits = "".join(filter(str.isdigit, written))
    if not LEAST <= len(digits) <= MOST or not written[-1].isdigit() or written[0] in "./-) " or digits in COUNTED:
        return False
    abroad = written.lstrip("(").startswith("+")
    if written[-2] == "." or written.count("(") != written.count(")") or _goes_on(view, start, end, abroad=abroad):
        return False
    if abroad:
        return international(digits)
    if "+" in written or DATE.match(written) or OTHERS.fullmatch(written) or UNIT.match(text, end):
        return False
    before = text[max(0, start - 40) : start]
    called, other = _last(CALL, before), max(_last(OTHER_NUMBERS, before[-24:]), _last(OTHER_KINDS, before[-24:]))
    if (0 < called >= other) or CALL.search(text[end : end + 12]):
        return any(_may_be(region, digits) for region in regions) or (
            written.startswith("00") and international(digits[2:])
        )
    if other or (among and ROW.fullmatch(written)):
        return False
    if written.startswith("00") and international(digits[2:]):
        return True
    return any(_national(region, digits, written, among=among) for region in regions)


def _last(of: Regex, text: str) -> int:
    """How near the end the last of the words is: greater is nearer, 0 is none."""
    return max((len(text) and 1000 - len(text) + match.span()[1] for match in of.finditer(text)), default=0)


def _goes_on(view: Folded, start: int, end: int, *, abroad: bool) -> bool:
    before, after = view.data[max(0, start - 6) : start], view.data[end : end + 2]
    if before[-1:] == b",":
        if before[-2:-1].isdigit():
            return True
    elif before and before[-1] in (WORD if abroad else BEFORE) and not before.endswith((b"tel:", b"wa.me/")):
        return True
    if not after or EXTENSION.match(view.text, end, end + 20):
        return False
    return after[0] in AFTER or (len(after) == 2 and after[0] in b".,:-/" and after[1] in DIGITS)


def _may_be(region: str, digits: str) -> bool:
    """Whether it has as many digits as a number of the region: enough where a word says that it is one."""
    plan = plan_of(region)
    return any(len(national) in plan.sizes for national in plan.nationals(digits))


def _national(region: str, digits: str, written: str, *, among: bool) -> bool:
    """Whether it is one without a word beside it: in use there, or in the region's own form."""
    plan = plan_of(region)
    groups = [len(group) for group in re.findall(r"\d+", written)]
    if plan.prefix == "1" and AMERICAN.fullmatch(written) and len(groups) > 2:
        return True
    for national in plan.nationals(digits):
        dialled = national != digits and plan.prefix == "0"
        if plan.valid.fullmatch(national):
            if dialled or (
                len(groups) > 1
                and max(groups) > 2
                and len(national) > SHORT
                and (national != digits or not plan.lacks_prefix(national))
            ):
                return True
        elif (
            dialled
            and not among
            and len(groups) > 2
            and min(groups) > 1
            and len(digits) > 9
            and len(national) in plan.sizes
        ):
            return True
    return False
