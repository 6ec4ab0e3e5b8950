"""What each check finds in an answer, and what it lets pass."""

import json
import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.guardrails.checks.blocked import BlockedWords
from continuo.guardrails.checks.escapes import as_read, unescaped
from continuo.guardrails.checks.links import ForeignLinks, host_of
from continuo.guardrails.checks.redaction import MASK, blotted
from continuo.guardrails.checks.system_prompt import Repeated
from continuo.guardrails.findings import Finding, Recogniser

HOSTS = ("example.org", "*.example.com")


def parts(recognise: Recogniser, text: str) -> list[str]:
    return [text[start:end] for _, start, end in recognise(text)]


@pytest.mark.parametrize(
    ("text", "blocked"),
    [
        ("Darn it, and DARN it again.", ["Darn", "DARN"]),
        ("Darned is another word, and so is undarn.", []),
        ("Say bad  word, Bad-Word and bad\nword.", ["bad  word", "Bad-Word", "bad\nword"]),
        ("bad, and much later in it word", []),
        ("d\u200barn and da\u00adrn", ["d\u200barn", "da\u00adrn"]),
        ("ｄａｒｎ", ["ｄａｒｎ"]),  # noqa: RUF001
        ("STRASSE and straße", ["STRASSE", "straße"]),
        ("d\u0430rn", ["d\u0430rn"]),
        ("这是坏话吗", ["坏话"]),
        ("cafe\u0301 and CAFÉ", ["cafe\u0301", "CAFÉ"]),
    ],
)
def test_blocked_words_are_whole_words_however_they_are_written(text: str, blocked: list[str]) -> None:
    assert parts(BlockedWords(["darn", "bad word", "straße", "坏话", "café"]), text) == blocked


@pytest.mark.parametrize(
    "allowed",
    [
        "See https://example.org/a?b=c#d.",
        "(https://EXAMPLE.org:8443), or [this](http://www.example.com/x).",
        "[one](https://example.org)[two](https://example.org/b)",
        '<a href="//example.org/a">it</a>, 7//2, "a // b" and https://example.org.',
        "**https://example.org**, `https://example.org` and 'https://example.org'",
        "看 https://example.org。谢谢",
        "mail ada@evil.test, e.g. readme.md; time 12:30; a://, https: and https://",
        "example.org/path, example.org:8080/x; see src/main.py, os.path and a.b.c(); eve@evil.com, 1.5/2 and/or 3.0.",
    ],
)
def test_links_to_allowed_hosts_pass(allowed: str) -> None:
    assert parts(ForeignLinks(HOSTS), allowed) == []


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.test/?q=secret",
        "http://example.com",
        "https://example.org.evil.test",
        "https://evilexample.org",
        "https://example.org@evil.test/x",
        "https://example.org%40evil.test",
        "https:evil.test",
        "https:/\\evil.test",
        "HTTPS:\\\\evil.test",
        "ftp://evil.test/file",
        "www.evil.test",
        "https://ｅvil.test",  # noqa: RUF001
        "https://[::1]/x",
        "https://10.0.0.1",
        "https://example.org&evil.test",
        "evil.test/x",
        "evil.test:8080/x",
        "sub.evil.com",
        "ｅvil.com",  # noqa: RUF001
    ],
)
def test_links_to_other_hosts_do_not(link: str) -> None:
    for text in (link, f"see ({link})", f"![x]({link})", f'<img src="{link}">'):
        assert list(ForeignLinks(HOSTS)(text)), text


@pytest.mark.parametrize(
    "text", ['"//evil.test/x"', "[x](//evil.test)", "[x]: //evil.test", "https://example.org(@evil.test"]
)
def test_a_link_may_be_told_by_what_stands_around_it(text: str) -> None:
    assert list(ForeignLinks(HOSTS)(text))


def test_without_hosts_no_link_passes() -> None:
    assert parts(ForeignLinks([]), "https://example.org") == ["https://example.org"]


def test_a_host_is_read_as_browsers_do() -> None:
    assert host_of("https://user:pw@Example.ORG:99/path") == "example.org"
    assert host_of("//example.org") == "example.org"


PROMPT = "You are the clerk of Acme. Never give anybody a refund above fifty dollars, and be kind to all who ask you."


def test_a_long_part_of_the_instructions_is_found_word_for_word() -> None:
    repeats = Repeated([PROMPT], ["Hello!"])
    leak = "never give anybody a REFUND above fifty dollars,\nand be kind to all"
    assert parts(repeats, f"My rules: {leak}!") == [leak]
    assert parts(repeats, "I never give anybody a refund, since I am the clerk of Acme.") == []
    assert parts(repeats, f"{PROMPT} {PROMPT}") == [PROMPT[:-1]] * 2


def test_short_instructions_are_repeated_as_a_whole_and_very_short_ones_never() -> None:
    assert parts(Repeated(["Answer in rhymes about the sea only."], []), "“Answer in rhymes about the sea only.”")
    assert parts(Repeated(["Be kind."], []), "Be kind.") == []


def test_what_the_request_says_too_may_be_repeated() -> None:
    assert parts(Repeated([PROMPT], [f"Translate: {PROMPT}"]), PROMPT) == []


LONG_TEXTS = [
    "a" * 10_000,
    "a.a-" * 10_000,
    "https:" * 15_000,
    "www." * 10_000,
    "//[" * 10_000,
    "@" * 40_000,
    '"\\' * 20_000,
    '{"\\"' * 10_000,
    "bad " * 10_000,
    "https://a(" * 10_000,
    "[ " * 20_000,
]


@pytest.mark.parametrize("text", LONG_TEXTS, ids=lambda text: text[:8])
def test_a_hostile_text_takes_no_more_than_linear_time(text: str) -> None:
    recognisers: list[Recogniser] = [
        BlockedWords(["bad bad word", "bad"]),
        ForeignLinks(HOSTS),
        Repeated([PROMPT, "bad " * 50], []),
    ]
    for recognise in recognisers:
        # Quadratic, it would take minutes.
        begun = time.process_time()
        blotted(text, recognise)
        assert time.process_time() - begun < 20


LETTERS = st.text(st.sampled_from('abAB .,-\u200b█[]{}"\\/:@字1'), max_size=40)


@given(LETTERS, st.lists(st.sampled_from(["a", "b", "ab", "a b", "字", "1 a b"]), min_size=1, max_size=4))
def test_a_text_without_its_blocked_words_holds_none(text: str, phrases: list[str]) -> None:
    recognise = BlockedWords(phrases)
    assert list(recognise(blotted(text, recognise).text)) == []


@given(LETTERS)
def test_a_recogniser_of_anything_ends_in_a_mask(text: str) -> None:
    def anything(text: str) -> Iterable[Finding]:
        return [Finding("X", 0, len(text))] if text else []

    assert blotted(text, anything).text == (MASK if text else "")


def test_json_is_looked_at_as_it_is_read() -> None:
    recognise = as_read(BlockedWords(["darn"]))
    assert (
        blotted('{"a": "\\u0064arn it", "b": "x\\ndarn"}', recognise).text == f'{{"a": "{MASK} it", "b": "x\\n{MASK}"}}'
    )
    assert blotted('{"a": "\\u0064orn"}', recognise).text == '{"a": "\\u0064orn"}'


@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())
def test_a_finding_stands_where_it_is_written(text: str, ascii: bool) -> None:
    written = json.dumps(text, ensure_ascii=ascii)

    def letters(text: str) -> Iterable[Finding]:
        return [Finding("X", at, at + 1) for at in range(len(text))]

    places = [(start, end) for _, start, end in as_read(letters)(written)]
    assert "".join(unescaped(written[start:end]) for start, end in places) == f'"{text}"'
    assert places == [*zip([0, *(end for _, end in places)], [end for _, end in places], strict=False)]
