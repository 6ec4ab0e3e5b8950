"""No secret leaves a worker for Temporal, whose histories nobody could take it out of again."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadCodec, PayloadConverter

from continuo.apart import apart
from continuo.protection.masking import Masker


def masked(converter: DataConverter, masker: Masker, data_masker: Masker) -> DataConverter:
    """The converter, which masks what it writes: errors, with causes and stacks, and, by `data_masker`, arguments,
    results and heartbeats."""

    class MaskedFailures(DefaultFailureConverter):
        def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
            super().to_failure(exception, payload_converter, failure)
            while True:
                failure.message, failure.stack_trace = masker.text(failure.message), masker.text(failure.stack_trace)
                if not failure.HasField("cause"):
                    return
                failure = failure.cause

    return replace(converter, payload_codec=_MaskedPayloads(data_masker), failure_converter_class=MaskedFailures)


class _MaskedPayloads(PayloadCodec):
    def __init__(self, masker: Masker) -> None:
        self._masker = masker

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [await apart(len(payload.data), partial(self._masked, payload)) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    def _masked(self, payload: Payload) -> Payload:
        if not payload.metadata["encoding"].startswith(b"json/"):
            return payload
        written = payload.data.decode()
        masked = self._masker.json(written)
        return payload if masked is written else Payload(metadata=payload.metadata, data=masked.encode())
