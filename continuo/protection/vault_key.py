"""The key of what placeholders stand for: no history and no store has it, and neither has the encryption of these."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from continuo.config.environment import Environment
from continuo.errors import InputError
from continuo.protection.encryption import BYTES, Cipher, keys_of

VARIABLE = "CONTINUO_VAULT_KEY"
FILE = "vault.key"
"""In the data folder, where the variable is not set: made when it is first needed, and read by its owner alone."""


class VaultKey:
    """`cipher` encrypts values, `secret` makes pseudonyms of people."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self.cipher = Cipher(keys, VARIABLE)
        self.secret = _oldest(keys)

    def change(self, environ: Mapping[str, str]) -> None:
        """Have the keys that are there now. Raises `InputError`, and has those from before, where none is."""
        self.cipher.change(environ)
        self.secret = _oldest(keys_of(environ, VARIABLE))


def vault_key(data: Path, environ: Mapping[str, str]) -> VaultKey:
    """The operator's keys, which change with the environment, else that of the data folder. Raises `InputError` for
    what is no key."""
    if not (keys := keys_of(environ, VARIABLE)):
        return VaultKey({"file": _of_file(data / FILE)})
    key = VaultKey(keys)
    if isinstance(environ, Environment):
        environ.learned_by(key.change)
    return key


def _oldest(keys: Mapping[str, bytes]) -> bytes:
    """The last one: a key that is added stands first."""
    return [*keys.values()][-1]


def _of_file(path: Path) -> bytes:
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be used: {error.strerror}; correct it, or set {VARIABLE}") from None
    if len(key) != BYTES:
        raise InputError(f"{path}: it has no key of {BYTES} bytes; restore it, or remove it and what it encrypted")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    own.touch(mode=0o600, exist_ok=False)
    try:
        own.write_bytes(secrets.token_bytes(BYTES))
        # Of several processes that make one at once, one counts.
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink()
