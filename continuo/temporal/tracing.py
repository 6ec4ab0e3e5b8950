"""Traces of a process, where OpenTelemetry's own environment wants them."""

import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
from temporalio.contrib.opentelemetry import TracingInterceptor

from continuo.errors import InputError
from continuo.protection.masking import Masker
from continuo.temporal.masked_spans import MaskedSpans


def traced(service: str, exporter: str, masker: Masker) -> TracingInterceptor:
    """Trace the process from now on; `exporter` is "otlp" or "console". Raises `InputError` for another one."""
    processor: SpanProcessor
    match exporter:
        case "console":
            processor = SimpleSpanProcessor(MaskedSpans(ConsoleSpanExporter(out=sys.stderr), masker))
        case "otlp":
            processor = BatchSpanProcessor(MaskedSpans(OTLPSpanExporter(), masker))
        case _:
            raise InputError(f"OTEL_TRACES_EXPORTER is {exporter!r}; use otlp, console or none")
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    HTTPXClientInstrumentor().instrument()
    return TracingInterceptor()
