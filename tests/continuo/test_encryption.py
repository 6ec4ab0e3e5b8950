from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from continuo.config.environment import Environment
from continuo.errors import InputError
from continuo.protection.encryption import BYTES, VARIABLE, Cipher, Encrypted, cipher
from continuo.protection.vault_key import vault_key
from continuo.stores.private import opened, opened_bytes, sealed, sealed_bytes
from continuo.temporal.encrypted import EncryptedPayloads

OLD, NEW = b"o" * BYTES, b"n" * BYTES
BEFORE, BOTH = Cipher({"old": OLD}), Cipher({"new": NEW, "old": OLD})


def entry(id: str, key: bytes) -> str:
    return f"{id}:{b64encode(key).decode()}"


@given(st.text())
def test_what_is_encrypted_says_nothing_and_is_read_again_also_after_the_key_was_changed(text: str) -> None:
    content = text.encode()
    for kept in (sealed(BEFORE, text), sealed_bytes(BEFORE, content).decode(errors="replace")):
        assert len(text) < 8 or text not in kept
    assert opened(BOTH, sealed(BEFORE, text)) == text
    assert opened_bytes(BOTH, sealed_bytes(BEFORE, content)) == content
    assert opened(BOTH, sealed(BOTH, text)) == text
    # Never the same twice: who compares two rows learns nothing.
    assert sealed(BOTH, text) != sealed(BOTH, text)
    with pytest.raises(InputError, match="'new'"):
        opened(BEFORE, sealed(BOTH, text))


@given(st.binary(), st.integers(min_value=0))
def test_a_changed_bit_or_another_keys_name_is_noticed(content: bytes, bit: int) -> None:
    key, data = BOTH.encrypt(content)
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    for wrong in (Encrypted(key, bytes(changed)), Encrypted("old", data), Encrypted(key, data[:5])):
        with pytest.raises(InputError, match="or the text was changed"):
            BOTH.decrypt(wrong)


def test_what_was_kept_without_a_key_is_read_as_it_is() -> None:
    assert opened(BOTH, '{"text": "plain"}') == '{"text": "plain"}'
    assert opened_bytes(BOTH, b"\x89PNG") == b"\x89PNG"


def test_the_first_key_of_the_variable_encrypts() -> None:
    both = cipher({VARIABLE: f"{entry('new', NEW)}, {entry('old', OLD)},"})
    assert both is not None
    assert both.encrypt(b"text").key == "new"
    assert both.decrypt(BEFORE.encrypt(b"text")) == b"text"
    assert cipher({}) is cipher({VARIABLE: " "}) is None


def test_the_key_of_what_is_withheld_changes_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(entry("old", OLD), encoding="utf-8")
    environ = Environment({"CONTINUO_VAULT_KEY_FILE": str(file)}, tmp_path / ".env")
    key = vault_key(tmp_path, environ)
    before = key.cipher.encrypt(b"text")
    file.write_text(f"{entry('new', NEW)},{entry('old', OLD)}", encoding="utf-8")
    environ.read_again()
    assert (key.cipher.encrypt(b"text").key, key.cipher.decrypt(before)) == ("new", b"text")
    # People keep their names until the old key has gone.
    assert key.secret == OLD
    file.write_text(entry("new", NEW), encoding="utf-8")
    environ.read_again()
    assert key.secret == NEW


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a key that is none", "entry 1 is no key with its id"),
        (f"{entry('new', NEW)},{entry('old', OLD[:16])}", "entry 2 is no key"),
        (entry("", OLD), "entry 1 is no key"),
        (entry("a key", OLD), "entry 1 is no key"),
        (b64encode(OLD).decode(), "entry 1 is no key"),
        (f"{entry('one', NEW)},{entry('one', OLD)}", "two keys have the id 'one'"),
    ],
)
def test_what_is_no_key_is_refused_and_not_repeated(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        cipher({VARIABLE: text})
    assert text not in str(error.value)
    assert b64encode(OLD).decode() not in str(error.value)


async def test_a_payload_tells_of_its_text_only_which_blobs_it_names() -> None:
    name = "0a" * 32
    payload = Payload(metadata={"encoding": b"json/plain"}, data=f'{{"text": "secret", "sha256": "{name}"}}'.encode())
    [hidden] = await EncryptedPayloads(BOTH).encode([payload])
    assert b"secret" not in hidden.SerializeToString()
    assert f'"{name}"'.encode() in hidden.SerializeToString()
    assert await EncryptedPayloads(BOTH).decode([hidden, payload]) == [payload, payload]
    with pytest.raises(InputError, match="'new'"):
        await EncryptedPayloads(BEFORE).decode([hidden])
