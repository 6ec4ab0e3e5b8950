"""A request as a span, in the trace that its `traceparent` says."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.types import Scope

tracer = trace.get_tracer("continuo")


@contextmanager
def request_span(scope: Scope) -> Iterator[Span]:
    """Inside, all that is begun belongs to the trace of whoever asks."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"] if name in _CARRIED}
    attributes = {"http.request.method": scope["method"], "url.path": scope["path"]}
    with tracer.start_as_current_span(
        scope["method"],
        context=propagate.extract(headers),
        kind=SpanKind.SERVER,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        yield span


def described(span: Span, scope: Scope, status: int) -> None:
    """What is known of the request when it has been answered."""
    if not span.is_recording():
        return
    if route := getattr(scope.get("route"), "path", None):
        span.update_name(f"{scope['method']} {route}")
        span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
        span.set_attribute("error.type", str(status))


_CARRIED = frozenset(name.encode() for name in propagate.get_global_textmap().fields)
