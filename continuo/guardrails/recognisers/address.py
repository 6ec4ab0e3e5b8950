"""Street addresses, by the words for streets in several languages, or by the town with its code."""

from collections.abc import Iterator

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.folded import Folded
from continuo.regex import of_bytes

# A letter beyond ASCII is read as \xff.
_CAPITAL = r"[A-Z\xff][A-Za-z\xff'.-]*"
_NAME = rf"{_CAPITAL}(?: (?:of |the )?{_CAPITAL}){{0,3}}"
_ENGLISH = (
    "Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Square|Sq|Terrace|Way|Close|Crescent"
    "|Gardens|Grove|Mews|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Alley|Trail|Walk|Row|Hill|Quay"
)
_UNIT = r"(?:,?\s{1,2}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|#)\.? ?[A-Z0-9-]{1,6})?"
_LATIN = (
    r"rue|avenue|boulevard|bd|all\xffe|chemin|impasse|quai|route|cours|place|calle|c/|avenida|avda\.?|paseo|plaza|camino"
    r"|carrer|via|viale|piazza|corso|vicolo|rua|travessa|largo|pra\xffa|alameda"
)
_NUMBER = r"[0-9]{1,5}(?: ?[A-Za-z]\b| ?bis| ?ter)?(?:[-/][0-9]{1,3})?"
_PARTS = r"(?:(?:de|du|des|del|della|la|le|les|da|do|dos|das|di|el|los|las|et|y|e) |d'|l'|dell')"
_NAMED = rf"(?:{_PARTS}){{0,3}}{_CAPITAL}(?:[ -](?:{_PARTS}){{0,2}}{_CAPITAL}){{0,4}}"
_STATE = r"[A-Z]{2} [0-9]{5}(?:-[0-9]{4})?"
_CODE = rf"(?:{_STATE}|[A-Z]{{1,2}}[0-9][A-Z0-9]? [0-9][A-Z]{{2}}|[0-9]{{4,5}}(?: [A-Z]{{2}})?)\b"
_BREAK = r" ?[,\n]\s{0,2}"
_TOWN = rf"(?:{_BREAK}{_NAMED},?\s{_CODE}|{_BREAK}{_CODE},? {_NAMED}(?: \([A-Z]{{2}}\))?)"
"""The code of the post with the town before or after it."""
_GERMAN = (
    r"(?:stra\xffe|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer|laan|straat|gracht|plein|kade|gade|vej|gatan"
    r"|v\xffgen)"
)
_GERMAN_NUMBER = r"[0-9]{1,3} ?[a-z]?(?:[-/][0-9]{1,3})?\b"

ADDRESS = of_bytes(
    r"(?:^|[^A-Za-z0-9\xff-])("
    rf"{_NUMBER},? (?:[NSEW]\.? )?{_NAME} (?:{_ENGLISH})\b\.?{_UNIT}{_TOWN}?"
    rf"|{_NUMBER},? {_NAME}{_UNIT}{_TOWN}"
    rf"|{_NAME},? {_NUMBER}(?: [A-Za-z\xff]{{2,12}} ?[0-9]{{1,4}}[A-Za-z\xff]?)?{_TOWN}"
    rf"|[A-Z\xff][A-Za-z\xff-]{{2,}}{_GERMAN} {_GERMAN_NUMBER}{_TOWN}?"
    rf"|[A-Z\xff][A-Za-z\xff]+(?:[ -][A-Z\xff][A-Za-z\xff]+)?[ -](?i:{_GERMAN}) {_GERMAN_NUMBER}{_TOWN}?"
    rf"|{_NUMBER},? (?i:{_LATIN}) {_NAMED}{_TOWN}?"
    rf"|(?i:{_LATIN}) {_NAMED},? (?:n[o.]? ?)?{_NUMBER}\b{_TOWN}?"
    rf"|P\.? ?O\.? Box [0-9]{{1,6}}{_TOWN}?)"
)


def address(view: Folded) -> Iterator[Finding]:
    for match in ADDRESS.finditer(view.data):
        yield Finding("ADDRESS", *match.span(1))
