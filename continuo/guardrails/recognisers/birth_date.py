"""Dates of birth: a date after a word that says so, in several languages."""

from collections.abc import Iterator

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.folded import Folded
from continuo.regex import compiled

BORN = (
    "born", "birth", "birthdate", "dateofbirth", "birthday", "d.o.b", "dob", "b-day",
    "geboren", "geb", "geburtsdatum", "geburtstag", "geb.datum",
    "née?", "né.e", "né\\(e\\)", "naissance", "date de naissance", "naissance le",
    "nacid[oa]", "nacimiento", "nací", "nació", "cumpleaños",
    "nat[oa] (?:il|a|in)", "nascita", "nascid[oa]", "nascimento", "nasci", "nasceu",
    "geboortedatum", "geboortedag", "verjaardag",
    "urodzon[yae]", "urodzenia", "født", "fødselsdato", "född", "födelsedatum", "syntymäaika", "syntynyt",
    "doğum", "родил(?:ся|ась)", "рождения", "γεννήθηκε", "γέννησης", "जन्म", "جنم",
)  # fmt: skip
UNSPACED = ("出生", "生年月日", "生日", "誕生日", "생년월일")
MONTHS = (
    "jan", "feb", "fév", "fev", "mar", "mär", "mrt", "apr", "avr", "abr", "may", "mai", "mei", "maj", "mag", "jun",
    "juin", "giu", "jul", "juil", "lug", "aug", "août", "aout", "ago", "sep", "set", "oct", "okt", "ott", "out",
    "nov", "dec", "déc", "dez", "dic", "ene", "gen", "янв", "фев", "мар", "апр", "мая", "май", "июн", "июл", "авг",
    "сен", "окт", "ноя", "дек",
)  # fmt: skip
_MONTH = rf"(?:{'|'.join(MONTHS)})\pL{{0,8}}\.?"
_DAY, _YEAR = r"(?:0?[1-9]|[12][0-9]|3[01])", r"(?:1[89][0-9]{2}|20[0-9]{2})"
_DATE = "|".join((
    rf"{_YEAR}[-/. ]{{1,2}}(?:0?[1-9]|1[0-2])[-/. ]{{1,2}}{_DAY}",
    rf"{_DAY}[-/.]\s?{_DAY}[-/.]\s?(?:{_YEAR}|[0-9]{{2}})",
    rf"{_DAY}(?:st|nd|rd|th|er|º|\.|-)?\s?(?:of |de |den )?-?{_MONTH},?(?: de| del|-)?\s?{_YEAR}",
    rf"{_MONTH}\s{_DAY}(?:st|nd|rd|th)?,?\s{_YEAR}",
    rf"{_YEAR}\s?[年년]\s?[01]?[0-9]\s?[月월]\s?[0-3]?[0-9]\s?[日일]",
    rf"{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])",
))  # fmt: skip
WORDS = compiled(rf"(?i)(?:^|[^\pL])(?:{'|'.join(BORN)})(?:[^\pL]|$)|{'|'.join(UNSPACED)}")
DATE = compiled(rf"(?i)(?:^|[^0-9])({_DATE})(?:[^0-9]|$)")
REACH, BACK = 64, 14
"""Characters after a word in which its date ends, and between a date and the word that follows it."""


def birth_date(view: Folded) -> Iterator[Finding]:
    text, last = view.text, 0
    for word in WORDS.finditer(text):
        start, end = word.span()
        # The character before the word, or after it, is one of the date's: `geb.12.3.1985`.
        place = _after(text, max(start + 1, end - 1)) or _before(text, start)
        if place and place[0] >= last:
            last = place[1]
            yield Finding("BIRTH_DATE", *place)


def _after(text: str, end: int) -> tuple[int, int] | None:
    line = text[end : end + REACH].partition("\n\n")[0]
    date = DATE.search(line)
    return (end + date.span(1)[0], end + date.span(1)[1]) if date else None


def _before(text: str, start: int) -> tuple[int, int] | None:
    first = max(0, start - 48)
    near = [date.span(1) for date in DATE.finditer(text[first:start])]
    if near and first + near[-1][1] >= start - BACK:
        return first + near[-1][0], first + near[-1][1]
    return None
