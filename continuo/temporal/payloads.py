"""Large inputs and answers, kept beside Temporal's histories and not in them.

A history holds a reference of a few bytes instead. Without this, one workflow task that starts 200 children with a
prompt of 20 KB exceeds the server's limit for a message, and a history of many large prompts exceeds its own.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from typing import Any

from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    EncodingPayloadConverter,
    ExternalStorage,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from continuo.config.settings import Settings, environment
from continuo.errors import InputError
from continuo.jobs import Failure, Job
from continuo.protection.encryption import cipher
from continuo.stores.opened import opened_payloads, store_place
from continuo.stores.payloads import Payloads, find
from continuo.temporal.encrypted import EncryptedPayloads
from continuo.temporal.failures import failed

THRESHOLD = 16_384
"""Bytes from which a payload is kept here: 200 smaller ones still fit into one message of 4 MB."""

NEWER = {"extra_forbidden", "union_tag_invalid"}
"""What is wrong with a value that a newer release has written: a field or a kind that is not known here."""

ADVICE = "set CONTINUO_DATA and DATABASE_URL as the pools have them"


def converter(settings: Settings, payloads: Payloads | None = None) -> DataConverter:
    """How values become payloads, encrypted where a key is set.

    Without `payloads` nothing is stored, and what others have stored is read.

    Only pools store: what a starter sends, a single input, fits into a history, and a pool that sees another store
    could not even begin the run.
    """
    storage = ExternalStorage(
        [PayloadStore(settings, payloads)],
        driver_selector=None if payloads else lambda context, payload: None,
        payload_size_threshold=THRESHOLD,
    )
    key = cipher(environment())
    return replace(
        pydantic_data_converter,
        payload_converter_class=PayloadConverter,
        payload_codec=EncryptedPayloads(key) if key else None,
        external_storage=storage,
    )


class PayloadConverter(PydanticPayloadConverter):
    """A job that can never be read ends its run. What a newer release has written waits for a pool that can read it, as
    does every result that cannot be read: it has been paid for."""

    def __init__(self) -> None:
        # The SDK makes a converter for every payload: without this each had to learn the types that it reads anew.
        CompositePayloadConverter.__init__(self, *_shared())

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        try:
            return super().from_payloads(payloads, type_hints)
        except ValidationError as error:
            mistakes = error.errors(include_url=False, include_input=False)
            if Job not in (type_hints or ()) or {one["type"] for one in mistakes} <= NEWER:
                raise
            first = next(one for one in mistakes if one["type"] not in NEWER)
            where = ".".join(map(str, first["loc"])) or "the whole"
            message = f"the input is no job: {where}: {first['msg']}; start runs with `continuo run`, which checks them"
            raise failed(Failure(type="InputError", message=message)) from None


@cache
def _shared() -> tuple[EncodingPayloadConverter, ...]:
    return tuple(PydanticPayloadConverter().converters.values())


class PayloadStore(StorageDriver):
    """Payloads by their SHA-256, in `payloads`; where there are none, the store is opened for each that is read."""

    def __init__(self, settings: Settings, payloads: Payloads | None) -> None:
        self._settings = settings
        self._payloads = payloads

    def name(self) -> str:
        # As in the histories of the versions that kept files alone.
        return "files"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        assert self._payloads is not None
        contents = await asyncio.to_thread(lambda: [_content(payload) for payload in payloads])
        await self._payloads.keep(dict(contents), time.time(), context.target.id if context.target else None)
        return [StorageDriverClaim({"sha256": name}) for name, _ in contents]

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Raises `InputError` where the store is another one than that of the process that stored it."""
        return [Payload.FromString(await self._read(claim.claim_data["sha256"])) for claim in claims]

    async def _read(self, name: str) -> bytes:
        content = await (self._payloads.use(name, time.time()) if self._payloads else self._from_store(name))
        if content is not None:
            return content
        try:
            # Kept by a version that had files alone.
            return await asyncio.to_thread((self._settings.data / "payloads" / name[:2] / name).read_bytes)
        except FileNotFoundError:
            where = "the database of DATABASE_URL" if environment().get("DATABASE_URL") else self._settings.data
            raise InputError(f"a large prompt or answer is not in {where}; {ADVICE}") from None

    async def _from_store(self, name: str) -> bytes | None:
        environ = environment()
        broken: tuple[type[Exception], ...] = (OSError, *store_place(self._settings, environ).broken)
        try:
            async with opened_payloads(self._settings, environ) as database:
                return await find(database, name)
        except broken as error:
            raise InputError(f"cannot read a large prompt or answer: {error}; {ADVICE}") from None


def _content(payload: Payload) -> tuple[str, bytes]:
    content = payload.SerializeToString(deterministic=True)
    return sha256(content).hexdigest(), content
