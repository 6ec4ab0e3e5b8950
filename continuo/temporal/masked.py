"""No secret leaves a worker for Temporal, whose histories nobody could take it out of again."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadCodec, PayloadConverter

from continuo.apart import apart
from continuo.protection.masking import Masker

HIDDEN = "Encoded failure"
"""The message that Temporal's own tools know."""


def masked(converter: DataConverter, masker: Masker, data_masker: Masker) -> DataConverter:
    """The converter, which masks what it writes: errors, with causes and stacks, and, by `data_masker`, arguments,
    results and heartbeats. A codec that it has comes after that."""
    codec = converter.payload_codec

    class MaskedFailures(DefaultFailureConverter):
        def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
            super().to_failure(exception, payload_converter, failure)
            while True:
                failure.message, failure.stack_trace = masker.text(failure.message), masker.text(failure.stack_trace)
                # One that came from elsewhere, decoded, has both.
                if codec is not None and failure.message != HIDDEN:
                    said = {"message": failure.message, "stack_trace": failure.stack_trace}
                    failure.encoded_attributes.CopyFrom(payload_converter.to_payload(said))
                    failure.message, failure.stack_trace = HIDDEN, ""
                if not failure.HasField("cause"):
                    return
                failure = failure.cause

    return replace(converter, payload_codec=_MaskedPayloads(data_masker, codec), failure_converter_class=MaskedFailures)


class _MaskedPayloads(PayloadCodec):
    def __init__(self, masker: Masker, codec: PayloadCodec | None) -> None:
        self._masker, self._codec = masker, codec

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        masked = [await apart(len(payload.data), partial(self._masked, payload)) for payload in payloads]
        return masked if self._codec is None else await self._codec.encode(masked)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads) if self._codec is None else await self._codec.decode(payloads)

    def _masked(self, payload: Payload) -> Payload:
        if not payload.metadata["encoding"].startswith(b"json/"):
            return payload
        written = payload.data.decode()
        masked = self._masker.json(written)
        return payload if masked is written else Payload(metadata=payload.metadata, data=masked.encode())
