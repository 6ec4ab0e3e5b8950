"""What is recognised in texts, and what only looks like it."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from continuo.errors import InputError
from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers import presidio
from continuo.guardrails.recognisers.folded import folded
from continuo.guardrails.recognisers.overlaps import apart
from continuo.guardrails.recognisers.registered import FAMILIES, KINDS, recognised
from continuo.regex import Regex, compiled

PURE = (*FAMILIES, "PHONE")
REGIONS = ("US", "GB", "DE", "FR", "IT", "BR")

SEEN = {
    "EMAIL": ["ada@example.org", "o'neil+x@mail.example.co.uk", "jörg@müller.de", "a@xn--mller-kva.de"],
    "PHONE": [
        "+44 20 7946 0958", "+49 (0)170 1234567", "(212) 555-0123", "212-555-0123 ext. 12", "06 12 34 56 78",
        "0171 1234567",
        "+33.6.12.34.56.78", "001-372-616-7513x613", "(11) 98765-4321",
    ],
    "CARD": ["4111 1111 1111 1111", "5500-0055-5555-5559", "378282246310005", "3782 822463 10005", "6011111111111117"],
    "IBAN": [
        "DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "nl91abna0417164300",
        "FR14 2004 1010 0505 0001 3M02 606",
    ],
    "NATIONAL_ID": [
        "123-45-6789", "36 574 261 809", "2 95 10 99 126 111 93", "12345678Z", "X1234567L", "RSSMRA85T10A562S",
        "AB 12 34 56 C",
        "2341 2341 2346", "ABCPE1234F", "529.982.247-25", "11.222.333/0001-81",
    ],
    "IP": ["8.8.4.4", "2001:4860:4860::8888", "2A02:8108:0:1::1"],
    "MAC": ["00:1b:44:11:3a:b7", "00-1B-44-11-3A-B7", "001b.4411.3ab7"],
    "URL_CREDENTIALS": [
        "https://bob:hunter22@git.example.org/x", "https://example.org/cb?x=1&access_token=abcdef123456",
    ],
    "CRYPTO": [
        "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "0x52908400098527886E0F7030069857D2E4169EE7",
    ],
    "ADDRESS": [
        "12 Main Street", "Lindaugasse 6/7\n05366 Altötting", "12 bis rue de la Paix", "Calle Mayor 3",
        "P.O. Box 12",
    ],
    "SECRET": [
        "sk-proj-abcDEF1234567890abcDEF1234567890", "ghp_abcdefghijKLMNOPqrstuvwxyz0123456789", "AKIAIOSFODNN7EXAMPLE",
        "xoxb-123456789012-123456789012-abcdefABCDEF123456789012", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123",
        "postgres://app:s3cr3tpw@db.example.org:5432/app",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----",
    ],
}  # fmt: skip
"""Of each kind, values that are recognised wherever they stand."""

AROUND = ("{}", "It is {}, thanks.", 'x = "{}"', "a;{}\nb;c", "電話は{}です", "({})\n")

TOLD = [
    ("PHONE", "call me at 5551234567", "5551234567"),
    ("PHONE", "My mobile: 1507424113", "1507424113"),
    ("CARD", "my card 213131758935346 was lost", "213131758935346"),
    ("NATIONAL_ID", "BSN 111222333", "111222333"),
    ("NATIONAL_ID", "Meine Steuer-ID ist 36574261809.", "36574261809"),
    ("NATIONAL_ID", "NHS number: 943 476 5919", "943 476 5919"),
    ("NATIONAL_ID", "SSN 123456789", "123456789"),
    ("BIRTH_DATE", "She was born on 12 March 1985 in Paris", "12 March 1985"),
    ("BIRTH_DATE", '{"dateOfBirth": "1990-01-02"}', "1990-01-02"),
    ("BIRTH_DATE", "geb. 3.5.1970", "3.5.1970"),
    ("BIRTH_DATE", "née le 4 août 1999", "4 août 1999"),
    ("BIRTH_DATE", "дата рождения: 03.05.1970", "03.05.1970"),
    ("BIRTH_DATE", "生年月日:1990年5月3日", "1990年5月3日"),
    ("BIRTH_DATE", "3/29/1982 is my birthday", "3/29/1982"),
    ("SECRET", "password: hunter2!", "hunter2!"),
    ("SECRET", "my password is S3cret!x.", "S3cret!x"),
    ("SECRET", 'api_key = "Zf3D0LXCM3EIMbgJpUNnkRtOfOueHznB"', "Zf3D0LXCM3EIMbgJpUNnkRtOfOueHznB"),
    ("SECRET", "Authorization: Bearer aZ3k9QpX27LmvT84w", "aZ3k9QpX27LmvT84w"),
    ("SECRET", "curl -u ada:tops3cret https://x.example", "tops3cret"),
]

NOTHING = [
    "Where is my order 5551234567? Order #112-4567890-1234567, invoice 0612345678.",
    "Version 1.2.3.4, Chrome/120.0.6099.109, package-1.2.3.4, requests==2.31.0.1, OID 1.3.6.1.4.1.9",
    "2024-01-15 10:30:45, 15.01.2024, 1998-2004, epoch 1700000000, ts=1700000000123",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b, 550e8400-e29b-41d4-a716-446655440000, #ff00aa",
    "3.14159265358979 and 1 234 567 EUR, $12345678, 12.345.678 people, rows 27 28 29 30 31, 0123456789",
    "ISBN 978-3-16-148410-0, SKU ABC-12345-XY, EAN 4006381333931, tracking 1Z999AA10123456784",
    "127.0.0.1, 10.0.0.7, 192.168.1.1, ::1, fe80::1, std::vector, 10:30:45, face::bad, 00:00:00:00:00:00",
    "icon@2x.png, git@example.org:team/app.git, @types/node@20.1.3, a @ b",
    "password: <your password>, token: ${TOKEN}, secret = changeme, api_key={{ key }}, os.environ['API_KEY']",
    "The password must have 12 characters. password = getpass.getpass(); max_tokens: 4096; primary_key: order_id",
    "https://example.org/a?page=2&sort=asc, postgres://USER:PASSWORD@localhost/db, sk-fading-circle-container-2",
    "The film won on 28 March 1994, and the fund was founded 1 May 2003.",
    "0x0000000000000000000000000000000000000000, 1BoatSLRHtKNngkdXEeobR76b53LETtpyX, AB123, 4111 1111 1111 1112",
]


def values(text: str, *kinds: str) -> list[tuple[str, str]]:
    return [(kind, text[start:end]) for kind, start, end in recognised(text, kinds or PURE, REGIONS)]


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, each in SEEN.items() for value in each])
def test_a_value_is_recognised_wherever_it_stands(kind: str, value: str) -> None:
    missing = [around for around in AROUND if (kind, value) not in values(around.format(value), kind)]
    assert missing == []


@pytest.mark.parametrize(("kind", "text", "value"), TOLD)
def test_what_says_too_little_itself_is_recognised_by_the_words_beside_it(kind: str, text: str, value: str) -> None:
    assert (kind, value) in values(text)
    assert values(value, kind) == []


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert values(text) == []


def test_a_value_is_recognised_in_other_scripts_and_with_invisible_characters() -> None:
    assert values("Ruf ＋４９ １７０ １２３４５６７ an") == [("PHONE", "＋４９ １７０ １２３４５６７")]  # noqa: RUF001
    assert values("a me@ex\u200bample.com b") == [("EMAIL", "me@ex\u200bample.com")]
    assert values("邮件 用户@例子.中国, ok") == [("EMAIL", "用户@例子.中国")]
    assert values("card ٤١١١١١١١١١١١١١١١") == [("CARD", "٤١١١١١١١١١١١١١١١")]


def test_regions_decide_which_national_numbers_are_looked_for() -> None:
    assert recognised("06 12 34 56 78", ["PHONE"], ["FR"]) == [Finding("PHONE", 0, 14)]
    assert recognised("06 12 34 56 78", ["PHONE"]) == []
    with pytest.raises(ValueError, match=r"^'XX' is no region of telephone numbers; write a country's two letters"):
        recognised("06 12 34 56 78", ["PHONE"], ["XX"])


def test_the_longest_finding_stays_whole_and_the_rest_of_another_beside_it() -> None:
    assert values("https://ada:pw123456@mail.example.org/x") == [
        ("URL_CREDENTIALS", "https://ada:pw123456@mail.example.org/x")
    ]
    own = {"CODE": compiled(r"K-\d+"), "WIDE": compiled(r"-\d+ \w+")}
    assert recognised("K-123 abc", [], own=own) == [Finding("CODE", 0, 1), Finding("WIDE", 1, 9)]


def test_an_own_pattern_is_matched_past_the_part_that_is_read_at_once() -> None:
    text = "x" * 9000 + " K-42 " + "K" * 5000 + "-7"
    assert [text[one.start : one.end] for one in recognised(text, [], own={"CODE": compiled(r"\bK-\d+")})] == ["K-42"]


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)b", "(", "a{1,9999}"])
def test_a_pattern_that_is_none_in_linear_time_is_refused_in_one_line(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"is no regular expression in linear time, as RE2 reads it: .") as refused:
        compiled(pattern)
    assert "\n" not in str(refused.value)


def test_a_private_key_that_is_cut_off_is_a_secret_as_far_as_it_goes() -> None:
    text = "key:\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\nabc+/=\n<end>"
    assert values(text) == [("SECRET", text[5:-5])]


def test_names_without_the_extra_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presidio, "find_spec", lambda name: None)
    presidio._analyzer.cache_clear()
    with pytest.raises(
        InputError, match=r"^kinds: PERSON and LOCATION need Presidio and a model; install continuo-patterns"
    ):
        recognised("I am Ada.", ["PERSON"])


PIECES = st.sampled_from([value for each in SEEN.values() for value in each] + [text for _, text, _ in TOLD] + NOTHING)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=5).map("".join)
OWN = {"CODE": compiled(r"[a-z]+-?\d*"), "ANY": compiled(r"(?s)..")}


@given(TEXTS, st.sampled_from([{}, OWN]))
@example("a\u200b", {})
@example("\ud800@x.de 4111\u200b1111 1111 1111", OWN)
def test_findings_are_in_the_text_sorted_and_apart(text: str, own: dict[str, Regex]) -> None:
    findings = recognised(text, PURE, REGIONS, own)
    assert all(0 <= one.start < one.end <= len(text) for one in findings)
    assert all(one.end <= after.start for one, after in pairwise(findings))
    assert {one.kind for one in findings} <= {*KINDS, *own}
    assert recognised(text, PURE, REGIONS, own) == findings


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 40), st.integers(1, 12))))
def test_no_character_of_a_finding_is_left_out_where_they_overlap(drawn: list[tuple[str, int, int]]) -> None:
    findings = [Finding(kind, start, start + size) for kind, start, size in drawn]
    result = apart(findings, {"A": 0, "B": 1})
    assert covered(result) == covered(findings)
    assert all(one.end <= after.start for one, after in pairwise(result))
    longest = max((one.end - one.start for one in findings), default=0)
    assert not findings or any(one in findings and one.end - one.start == longest for one in result)


def covered(findings: list[Finding]) -> set[int]:
    return {place for one in findings for place in range(one.start, one.end)}


@given(st.text(st.characters(), max_size=60))
def test_a_folded_text_is_a_byte_a_character_and_knows_where_each_stands(text: str) -> None:
    view = folded(text)
    assert len(view.data) == len(view.text)
    places = range(len(text)) if view.places is None else view.places
    assert len(places) == len(view.text)
    kept = [text[place] for place in places]
    assert [one for one in kept if re.fullmatch("[!-~]", one)] == [
        one for one, read in zip(view.text, kept, strict=True) if re.fullmatch("[!-~]", read)
    ]


@pytest.mark.parametrize(
    "written",
    [
        'serviceToken="{}"', "service_token: {}",
        '{{"service_token": "{}"}}', '\\"service_token\\": \\"{}\\"', "serviceToken,{},",
        "<serviceToken>\n  {}\n</serviceToken>", "service_token: |\n  {}", 'var serviceToken string = "{}"',
        "serviceToken := `{}`", '"serviceToken" => "{}"', 'SERVICE_TOKEN :::= "{}"', 'SERVICE_TOKEN ?= "{}"',
    ],
)  # fmt: skip
def test_a_key_is_recognised_in_the_ways_in_which_files_write_them(written: str) -> None:
    key = "q7Zf3D0LXCM3EIMbgJpUNnkRtOfOueHz"
    assert values(written.format(key)) == [("SECRET", key)]
