"""What a key may do, and the secret that proves it."""

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.jobs import Context, KeyTerms
from continuo.protection.api_keys import SECRET, ApiKey, StoredKey, new_id, new_secret, parsed_secret, proven

NOW = datetime(2026, 11, 26, tzinfo=UTC)
LETTERS = string.ascii_letters + string.digits


def key(**fields: object) -> ApiKey:
    return ApiKey.model_validate({"id": "abcdefghijkl", "name": "ci", "tenant": "acme", "created": NOW, **fields})


def test_a_secret_has_a_form_that_a_scanner_can_match_and_is_never_the_same() -> None:
    secrets = {new_secret(new_id()) for _ in range(100)}
    assert len({secret.text for secret in secrets}) == 100
    assert all(SECRET.fullmatch(secret.text) and parsed_secret(secret.text) == secret for secret in secrets)


@given(st.data())
def test_one_wrong_character_is_told_without_a_look_into_the_store(data: st.DataObject) -> None:
    text = new_secret(new_id()).text
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(LETTERS).filter(lambda letter: letter != text[at]))
    assert parsed_secret(text[:at] + other + text[at + 1 :]) is None


@given(st.text())
def test_no_text_breaks_the_reading_of_a_secret(text: str) -> None:
    assert parsed_secret(text) is None
    assert parsed_secret(f"cnt_{text}") is None


def test_of_a_secret_only_its_hash_is_kept() -> None:
    secret = new_secret(new_id())
    stored = StoredKey(key=key(id=secret.id), sha256=secret.digest)
    assert secret.text not in stored.model_dump_json()
    assert secret.text[-49:] not in stored.model_dump_json()


def test_a_key_is_opened_by_its_secret_alone() -> None:
    secret, other = new_secret("a" * 12), new_secret("a" * 12)
    stored = StoredKey(key=key(), sha256=secret.digest)
    assert proven(stored, secret, NOW)
    assert not proven(stored, other, NOW)
    assert not proven(None, secret, NOW)


def test_the_former_secret_works_until_its_grace_is_over() -> None:
    new, old, older = (new_secret("a" * 12) for _ in range(3))
    grace = NOW + timedelta(hours=1)
    stored = StoredKey(key=key(), sha256=new.digest, previous_sha256=old.digest, previous_until=grace)
    assert proven(stored, new, NOW)
    assert proven(stored, old, NOW)
    assert not proven(stored, older, NOW)
    assert not proven(stored, old, grace)
    assert proven(stored, new, grace)


@pytest.mark.parametrize("field", ["expires", "revoked"])
def test_a_key_that_was_revoked_or_has_expired_opens_nothing(field: str) -> None:
    secret = new_secret("a" * 12)
    ended = key(expires=NOW) if field == "expires" else key()
    stored = StoredKey(key=ended, sha256=secret.digest, revoked=NOW if field == "revoked" else None)
    assert not proven(stored, secret, NOW)
    assert stored.status(NOW) == field.replace("expires", "expired")


def test_names_are_allowed_by_globs() -> None:
    narrow = key(models=("gpt-*", "claude-opus-5"), patterns=())
    assert narrow.allows_model("gpt-6-luna")
    assert narrow.allows_model("claude-opus-5")
    assert not narrow.allows_model("claude-opus-5-1")
    assert not narrow.allows_model("GPT-6")
    assert not narrow.allows_pattern("support")
    assert key().allows_model("org/model")
    assert key().allows_pattern("support")


def test_its_limits_are_used_up_whole() -> None:
    assert key(requests_per_minute=10).limits.throttle_at == 1
    assert key(requests_per_minute=10, tokens_per_minute=5, concurrency=2).limits.model_dump(exclude_defaults=True) == {
        "requests_per_minute": 10,
        "tokens_per_minute": 5,
        "concurrency": 2,
        "throttle_at": 1.0,
    }


def test_a_run_is_for_the_keys_tenant_and_carries_its_budgets() -> None:
    context = key(priority="batch", prefer="cost", daily_usd=1.0, weight=2.0).context()
    assert (context.tenant, context.priority, context.prefer) == ("acme", "batch", "cost")
    assert context.key == KeyTerms(id="abcdefghijkl", daily_usd=1.0, weight=2.0)
    assert Context.model_validate_json(context.model_dump_json()) == context
    assert "key" not in Context(tenant="acme").model_dump()
