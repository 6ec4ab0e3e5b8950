"""Large inputs and answers, kept beside Temporal's histories and not in them.

A history holds a reference of a few bytes instead. Without this, one workflow task that starts 200 children with a
prompt of 20 KB exceeds the server's limit for a message, and a history of many large prompts exceeds its own.
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from continuo.errors import InputError
from continuo.jobs import Failure, Job
from continuo.settings import Settings
from workflows.failures import failed

THRESHOLD = 16_384
"""Bytes from which a payload is kept here: 200 smaller ones still fit into one message of 4 MB."""

NEWER = {"extra_forbidden", "union_tag_invalid"}
"""What is wrong with a value that a newer release has written: a field or a kind that is not known here."""


def converter(settings: Settings, *, store: bool) -> DataConverter:
    """How values become payloads. Whoever does not `store` can still read what others have stored.

    Only pools store: what a starter sends, a single input, fits into a history, and a pool that sees another folder
    could not even begin the run.
    """
    storage = ExternalStorage(
        [PayloadFiles(settings.data / "payloads")],
        driver_selector=None if store else lambda context, payload: None,
        payload_size_threshold=THRESHOLD,
    )
    return replace(pydantic_data_converter, payload_converter_class=PayloadConverter, external_storage=storage)


class PayloadConverter(PydanticPayloadConverter):
    """A job that can never be read ends its run. What a newer release has written waits for a pool that can read it, as
    does every result that cannot be read: it has been paid for."""

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


class PayloadFiles(StorageDriver):
    """A folder with a file for each payload, named by its SHA-256. All pools must see the same one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def name(self) -> str:
        return "files"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        return [StorageDriverClaim({"sha256": await asyncio.to_thread(self._write, payload)}) for payload in payloads]

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Raises `InputError` where the folder is another one than that of the process that stored it."""
        return [await asyncio.to_thread(self._read, claim.claim_data["sha256"]) for claim in claims]

    def _write(self, payload: Payload) -> str:
        content = payload.SerializeToString(deterministic=True)
        name = sha256(content).hexdigest()
        path = self._path(name)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Whole or not at all, however many write it at once and whenever they are killed.
            with NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(path)
        return name

    def _read(self, name: str) -> Payload:
        try:
            return Payload.FromString(self._path(name).read_bytes())
        except FileNotFoundError:
            advice = "set CONTINUO_DATA to the data folder of the pools"
            raise InputError(f"a large prompt or answer is not in {self._folder}; {advice}") from None

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name
