"""No form in which an upstream may repeat a secret survives."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.protection.masking import MASK, Masker

SECRETS = st.text("".join(map(chr, range(33, 127))), min_size=16, max_size=80)
AROUND = st.text(max_size=20)


@given(SECRETS, AROUND, AROUND)
def test_a_secret_is_masked_in_every_form(secret: str, before: str, after: str) -> None:
    forms = (
        secret,
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        b64encode(f"user:{secret}".encode()).decode(),
        urlsafe_b64encode(secret.encode()).decode(),
        secret[:-4],
    )
    for form in forms:
        masked = Masker([secret]).text(f"{before}{form}{after}")
        assert MASK in masked
        assert form not in masked.replace(MASK, "") or form in before + after


@given(st.text())
def test_a_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert Masker(["a-key-that-nobody-writes"]).text(text) == text


def test_all_of_what_is_repeated_goes_and_nothing_else() -> None:
    found = Masker(["sk-0123456789abcdef", "other-secret-word"])
    assert found.text("<sk-0123456789abcdef> <sk-0123456789ab> <other-secret-word>") == "<***> <***> <***>"


@pytest.mark.parametrize("secrets", [[], [""], ["short"]])
def test_without_a_secret_worth_the_name_nothing_is_masked(secrets: list[str]) -> None:
    assert Masker(secrets).text("short and sweet") == "short and sweet"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(SECRETS, VALUES, AROUND, AROUND)
def test_a_json_text_stays_one_and_holds_no_secret(secret: str, value: object, before: str, after: str) -> None:
    masker, whole = Masker([secret]), {"value": value, "told": [f"{before}{secret}{after}"]}
    found = json.loads(masker.json(json.dumps(whole)))
    assert found == masker.value(whole)
    assert masker.text(secret) == MASK


def test_a_line_end_before_a_secret_that_begins_with_an_n_leaves_the_json_whole() -> None:
    assert json.loads(Masker(["n0123456789abcdef"]).json(json.dumps({"a": "\n0123456789abcdef"})))
