"""What a store encrypts where there is a key, and how it stands there."""

import base64

from continuo.protection.encryption import Cipher, Encrypted

MARK = "encrypted:"
"""What an encrypted text begins with: this, the id of the key, a colon, and base64. Bytes have the data as they are."""


class PrivateText(str):
    """A parameter of SQL that holds something of a prompt or an answer."""


class PrivateBytes(bytes):
    """The same as bytes."""


def sealed(cipher: Cipher, text: str) -> str:
    key, data = cipher.encrypt(text.encode())
    return f"{MARK}{key}:{base64.b64encode(data).decode()}"


def opened(cipher: Cipher, text: str) -> str:
    """The text; one that was written before there was a key as it is. Raises `InputError` as `Cipher.decrypt`."""
    if not text.startswith(MARK):
        return text
    key, _, data = text.removeprefix(MARK).partition(":")
    return cipher.decrypt(Encrypted(key, base64.b64decode(data))).decode()


def sealed_bytes(cipher: Cipher, content: bytes) -> bytes:
    key, data = cipher.encrypt(content)
    return f"{MARK}{key}:".encode() + data


def opened_bytes(cipher: Cipher, content: bytes) -> bytes:
    if not content.startswith(MARK.encode()):
        return content
    key, _, data = content.removeprefix(MARK.encode()).partition(b":")
    return cipher.decrypt(Encrypted(key.decode(), data))
