"""No secret leaves a process in a trace, and an agent is called what OpenTelemetry's conventions call it."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Status
from opentelemetry.util.types import Attributes

from continuo.protection.masking import Masker

AGENT = "RunWorkflow:Agent"
"""What the SDK calls the span of a run of an agent, which all that it does hangs from. It is as long as nothing: a
workflow may be replayed, and does not look at a clock."""


class MaskedSpans(SpanExporter):
    """Exports spans with their texts masked: names, attributes, events with their exceptions, links and status."""

    def __init__(self, exporter: SpanExporter, masker: Masker) -> None:
        self._exporter = exporter
        self._masker = masker

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([self._masked(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)

    def _masked(self, span: ReadableSpan) -> ReadableSpan:
        text, agent = self._masker.text, span.name == AGENT
        own = {"gen_ai.operation.name": "invoke_agent"} if agent else {}
        return ReadableSpan(
            name="invoke_agent" if agent else text(span.name),
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes={**(self._attributes(span.attributes) or {}), **own},
            events=[Event(text(one.name), self._attributes(one.attributes), one.timestamp) for one in span.events],
            links=[Link(link.context, self._attributes(link.attributes)) for link in span.links],
            kind=span.kind,
            status=Status(span.status.status_code, span.status.description and text(span.status.description)),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def _attributes(self, attributes: Attributes) -> Attributes:
        return {name: self._masker.value(value) for name, value in (attributes or {}).items()}
