"""Histories that tell a stranger nothing: payloads are encrypted before they leave a process."""

import re
from collections.abc import Sequence

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from continuo.protection.encryption import Cipher, Encrypted

ENCODING = b"binary/encrypted"
KEY = "encryption-key-id"
NAMES = "names"
"""The SHA-256 of each blob and turn that the text names, in the clear: what a history refers to is not pruned."""

_NAME = re.compile(rb'"[0-9a-f]{64}"')


class EncryptedPayloads(PayloadCodec):
    """What was written before there was a key is read as it is."""

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encrypted(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises `InputError` where the key is not there: a pool that has it is waited for."""
        return [self._decrypted(payload) for payload in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        key, data = self._cipher.encrypt(payload.SerializeToString())
        metadata = {"encoding": ENCODING, KEY: key.encode()}
        if names := b",".join(sorted(set(_NAME.findall(payload.data)))):
            metadata[NAMES] = names
        return Payload(metadata=metadata, data=data)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        return Payload.FromString(self._cipher.decrypt(Encrypted(payload.metadata[KEY].decode(), payload.data)))
