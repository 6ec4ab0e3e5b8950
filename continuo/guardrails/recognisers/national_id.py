"""Numbers that a state gives to a person (or, in Brazil, to a firm too), of nine countries.

What has no separators and a weak checksum, or none, is one where a word beside it says so.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from stdnum.br import cnpj, cpf
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.us import itin, ssn

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.context import OTHER_NUMBERS, beside, numbered, words
from continuo.guardrails.recognisers.folded import Folded
from continuo.regex import Regex, of_bytes

UNFIT = frozenset(("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"))
"""No national insurance number begins with these."""


def _us(number: str) -> bool:
    return bool(ssn.is_valid(number) or itin.is_valid(number))


def _nino(number: str) -> bool:
    letters = number.upper()
    return letters[:2] not in UNFIT and letters[0] not in "DFIQUV" and letters[1] not in "DFIQUVO"


class Form(NamedTuple):
    """A way in which a number is written; `words` of which one has to be near, None where it tells itself."""

    pattern: str
    valid: Callable[[str], bool]
    words: Regex | None


US = words("ssn", "social security", "itin", "tax id*", "taxpayer", "tin", "social")
DE = words("steuer*", "idnr", "id-nr", "identifikationsnummer", "tax id*", "tin", "finanzamt")
NL = words("bsn", "burgerservicenummer", "burger service nummer", "sofinummer", "sofi*", "citizen service*")
NHS = words("nhs", "health service", "patient*")
AADHAAR = words("aadhaar", "aadhar", "adhaar", "uidai", "uid", "आधार")
BR = words("cpf", "cnpj", "cadastro", "contribuinte", "receita federal")

FORMS: tuple[Form, ...] = (
    Form(r"[0-9]{3}-[0-9]{2}-[0-9]{4}", _us, None),
    Form(r"[0-9]{3} [0-9]{2} [0-9]{4}", _us, None),
    Form(r"[0-9]{9}", _us, US),
    Form(r"[1-9][0-9] [0-9]{3} [0-9]{3} [0-9]{3}", idnr.is_valid, None),
    Form(r"[1-9][0-9][ /]?[0-9]{3}[ /]?[0-9]{3}[ /]?[0-9]{3}", idnr.is_valid, DE),
    Form(
        r"[1-478] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[ABab]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", nir.is_valid, None
    ),
    Form(r"[0-9]{1,2}\.?[0-9]{3}\.?[0-9]{3}[ -]?[A-Za-z]", dni.is_valid, None),
    Form(r"[XYZxyz][ -]?[0-9]{7}[ -]?[A-Za-z]", nie.is_valid, None),
    Form(r"[A-Za-z]{6} ?[0-9LMNPQRSTUVlmnpqrstuv]{2}[A-Za-z][0-9LMNPQRSTUVlmnpqrstuv]{2} ?"
         r"[A-Za-z][0-9LMNPQRSTUVlmnpqrstuv]{3}[A-Za-z]", codicefiscale.is_valid, None),
    Form(r"[0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3}|[0-9]{4}[. ][0-9]{2}[. ][0-9]{3}", bsn.is_valid, NL),
    Form(r"[A-Za-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-Da-d]", _nino, None),
    Form(r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", nhs.is_valid, NHS),
    Form(r"[2-9][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}", aadhaar.is_valid, None),
    Form(r"[2-9][0-9]{11}", aadhaar.is_valid, AADHAAR),
    Form(r"[A-Z]{3}[ABCFGHLJPTK][A-Z][0-9]{4}[A-Z]", pan.is_valid, None),
    Form(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", cpf.is_valid, None),
    Form(r"[0-9]{11}", cpf.is_valid, BR),
    Form(r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}", cnpj.is_valid, None),
    Form(r"[0-9]{14}", cnpj.is_valid, BR),
)  # fmt: skip
COMPILED = tuple((of_bytes(rf"\b(?:{form.pattern})\b"), form) for form in FORMS)


def national_id(view: Folded) -> Iterator[Finding]:
    data, text = view.data, view.text
    for pattern, form in COMPILED:
        for match in pattern.finditer(data):
            start, end = match.span()
            if numbered(data, start, end) or not form.valid(text[start:end]):
                continue
            if beside(text, start, end, of=form.words) if form.words else not _is_other(text, start, end):
                yield Finding("NATIONAL_ID", start, end)


def _is_other(text: str, start: int, end: int) -> bool:
    """Whether what stands before says that these digits are another number, such as an order's."""
    return not re.search("[A-Za-z]", text[start:end]) and bool(OTHER_NUMBERS.search(text[max(0, start - 12) : start]))
