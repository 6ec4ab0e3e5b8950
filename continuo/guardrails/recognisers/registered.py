"""Every kind that is recognised here, and all findings of a text."""

from collections.abc import Callable, Collection, Iterator, Mapping

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.address import address
from continuo.guardrails.recognisers.birth_date import birth_date
from continuo.guardrails.recognisers.card import card
from continuo.guardrails.recognisers.crypto import crypto
from continuo.guardrails.recognisers.email import email
from continuo.guardrails.recognisers.folded import Folded, folded
from continuo.guardrails.recognisers.iban import iban
from continuo.guardrails.recognisers.national_id import national_id
from continuo.guardrails.recognisers.network import ip, mac
from continuo.guardrails.recognisers.overlaps import apart
from continuo.guardrails.recognisers.own import own_findings
from continuo.guardrails.recognisers.phone import phone
from continuo.guardrails.recognisers.presidio import NAMED, named
from continuo.guardrails.recognisers.secret import secret
from continuo.guardrails.recognisers.url import url
from continuo.regex import Regex

Family = Callable[[Folded], Iterator[Finding]]

FAMILIES: dict[str, Family] = {
    "SECRET": secret,
    "URL_CREDENTIALS": url,
    "IBAN": iban,
    "CARD": card,
    "NATIONAL_ID": national_id,
    "CRYPTO": crypto,
    "EMAIL": email,
    "MAC": mac,
    "IP": ip,
    "BIRTH_DATE": birth_date,
    "ADDRESS": address,
}
"""Most specific first: of two findings of one length the first's kind is taken."""
KINDS: tuple[str, ...] = (*FAMILIES, "PHONE", *NAMED)
"""All that may be asked for; the last two need the extra `presidio`."""
RANKS = {kind: rank for rank, kind in enumerate(KINDS)}


def recognised(
    text: str, kinds: Collection[str], regions: Collection[str] = (), own: Mapping[str, Regex] = {}
) -> list[Finding]:
    """What is found in the text, sorted, none over another: the longest stays whole, of equals the more specific.

    `kinds` are of `KINDS`; `regions` those whose telephone numbers are looked for where they have no country's code, as
    `US`; `own` an operator's patterns by kind. Raises `InputError` where the extra is missing that a kind needs.
    """
    view = folded(text)
    return apart(view.original(_findings(view, kinds, regions, own)), RANKS)


def _findings(
    view: Folded, kinds: Collection[str], regions: Collection[str], own: Mapping[str, Regex]
) -> Iterator[Finding]:
    for kind, pattern in own.items():
        yield from own_findings(view.text, kind, pattern)
    for kind in kinds:
        if kind in FAMILIES:
            yield from FAMILIES[kind](view)
    if "PHONE" in kinds:
        yield from phone(view, regions)
    if NAMED & frozenset(kinds):
        yield from (finding for finding in named(view.text) if finding.kind in kinds)
