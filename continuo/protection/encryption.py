"""Prompts and answers are encrypted wherever they are kept, if the operator has set a key."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from continuo.config.environment import Environment
from continuo.errors import InputError
from continuo.protection.provider_keys import keys_in

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VARIABLE = "CONTINUO_ENCRYPTION_KEY"
BYTES = 32
NONCE = 12
"""Bytes before each text, new for each: under one key no more than 2**32 texts may be encrypted, then it is changed."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")
_ADVICE = "write id:key, the key as base64 of 32 bytes (`openssl rand -base64 32`), with commas between several"


class Encrypted(NamedTuple):
    """A nonce and a text by AES-256-GCM, and the id of the key. The id is authenticated too."""

    key: str
    data: bytes


class Cipher:
    """The first of its `keys`, each by its id, encrypts; all of them decrypt."""

    def __init__(self, keys: Mapping[str, bytes], variable: str = VARIABLE) -> None:
        """The `variable` has them."""
        self._variable = variable
        self._keys = _opened(keys)

    def change(self, environ: Mapping[str, str]) -> None:
        """Have the keys that are there now. Raises `InputError`, and has those from before, where none is."""
        if not (keys := keys_of(environ, self._variable)):
            raise InputError(f"{self._variable} is not set any more; set it, or start again without it")
        self._keys = _opened(keys)

    def encrypt(self, text: bytes) -> Encrypted:
        nonce = os.urandom(NONCE)
        id, key = next(iter(self._keys.items()))
        return Encrypted(id, nonce + key.encrypt(nonce, text, id.encode()))

    def decrypt(self, encrypted: Encrypted) -> bytes:
        """Raises `InputError` where the key is not there, or is another one, or the text was changed."""
        from cryptography.exceptions import InvalidTag

        key, data = encrypted
        if (known := self._keys.get(key)) is None:
            raise InputError(
                f"{self._variable} has no key {key[:40]!r}, with which this was encrypted; add it behind the first"
            )
        try:
            return known.decrypt(data[:NONCE], data[NONCE:], key.encode())
        except (InvalidTag, ValueError):
            raise InputError(
                f"{self._variable}: its key {key!r} is not the one of this text, or the text was changed"
            ) from None


def _opened(keys: Mapping[str, bytes]) -> dict[str, "AESGCM"]:
    # It takes 30 ms to load, and most commands encrypt nothing.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return {id: AESGCM(key) for id, key in keys.items()}


def cipher(environ: Mapping[str, str]) -> Cipher | None:
    """The operator's, whose keys change with the environment; None where no key is set. Raises `InputError` for what is
    no key."""
    keys = keys_of(environ, VARIABLE)
    if not keys:
        return None
    result = Cipher(keys)
    if isinstance(environ, Environment):
        environ.learned_by(result.change)
    return result


def keys_of(environ: Mapping[str, str], variable: str) -> dict[str, bytes]:
    """The keys in the variable by their ids, in their order. Raises `InputError` for what is none."""
    keys: dict[str, bytes] = {}
    for entry in written_keys(environ, variable):
        id, _, text = (part.strip() for part in entry.partition(":"))
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        # What it says instead is not shown: it may be a key.
        if not _ID.fullmatch(id) or len(key) != BYTES:
            raise InputError(f"{variable}: entry {len(keys) + 1} is no key with its id; {_ADVICE}")
        if id in keys:
            raise InputError(f"{variable}: two keys have the id {id!r}; name each otherwise")
        keys[id] = key
    return keys


def written_keys(environ: Mapping[str, str], variable: str = VARIABLE) -> list[str]:
    """The entries of the variable as they are written."""
    return keys_in(environ.get(variable, ""))
