"""One request to a provider, or to a tool, as a span; that to a provider is counted too.

Names are those of OpenTelemetry's conventions for generative AI. What was said is in a span only where
`CONTINUO_TRACE_CONTENT` asks for it; placeholders of personal data stay placeholders.
"""

import json
import time
from asyncio import CancelledError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.trace import Span, SpanKind, StatusCode, get_tracer

from continuo.activities.admission import Admitted
from continuo.activities.identity import run_id
from continuo.activities.micro_batches import Refused
from continuo.errors import ProviderError
from continuo.jobs import Job, Outcome
from continuo.messages import Message
from continuo.operations.metrics import Meter, Operation
from continuo.providers.exchange import Exchange

tracer = get_tracer("continuo")


class Asking:
    """A request under way: of what was `admitted` for a `job`. The spans have what was said if `content` says so."""

    def __init__(self, meter: Meter, job: Job, admitted: Admitted, exchange: Exchange, *, content: bool) -> None:
        model, request = admitted.model, admitted.request
        self.operation: Operation = "embeddings" if request.embed or model.embeds else "chat"
        self._meter = meter
        self._job = job
        self._admitted = admitted
        self._exchange = exchange
        self._content = content
        self._began = time.monotonic()
        self._first = False
        self._span: Span

    @contextmanager
    def observed(self) -> Iterator["Asking"]:
        """Inside, the provider is asked."""
        name, error = f"{self.operation} {self._admitted.model.id}", ""
        with tracer.start_as_current_span(
            name, kind=SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
        ) as self._span:
            if self._span.is_recording():
                self._describe()
            try:
                yield self
            except Refused:
                # Nobody was asked.
                raise
            except BaseException as raised:
                error = _kind(raised)
                self._span.set_attribute("error.type", error)
                self._span.set_status(StatusCode.ERROR, error)
                self._count(error)
                raise
            else:
                self._count("")

    def first_piece(self) -> None:
        """Some of the answer has come; only the first time counts."""
        if not self._first:
            self._first, seconds = True, time.monotonic() - self._began
            self._meter.began(self._job.context, self._admitted.model, self.operation, seconds)
            self._span.set_attribute("gen_ai.response.time_to_first_chunk", seconds)

    def answered(self, outcome: Outcome) -> None:
        """What it came to."""
        if not self._span.is_recording():
            return
        price, usage = self._admitted.model.price, outcome.usage
        attributes: dict[str, str | int | float | Sequence[str]] = {}
        if usage is not None:
            attributes |= {
                "gen_ai.usage.input_tokens": usage.input_tokens,
                "gen_ai.usage.output_tokens": usage.output_tokens,
                "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
            }
            cost = price.cost(usage) if self._exchange.cost_usd is None and price else self._exchange.cost_usd
            if cost is not None:
                attributes["continuo.cost_usd"] = cost
        if outcome.finish_reason is not None:
            attributes["gen_ai.response.finish_reasons"] = [outcome.finish_reason]
        if self._content and outcome.message is not None:
            attributes["gen_ai.output.messages"] = _messages([outcome.message])
        self._span.set_attributes(attributes)

    def _describe(self) -> None:
        model, request, context = self._admitted.model, self._admitted.request, self._job.context
        attributes = {
            "gen_ai.operation.name": self.operation,
            "gen_ai.provider.name": model.provider,
            "gen_ai.request.model": model.id,
            "gen_ai.response.model": model.name,
            "gen_ai.request.max_tokens": request.max_tokens,
            "gen_ai.request.temperature": request.temperature,
            "gen_ai.request.stream": self._job.stream is not None,
            "continuo.run": run_id(),
            "continuo.tenant": context.tenant,
            "continuo.pattern": context.pattern,
            "continuo.attempt": self._admitted.attempt,
        }
        if self._content:
            attributes["gen_ai.input.messages"] = _messages(request.messages)
            attributes["gen_ai.system_instructions"] = request.system
        self._span.set_attributes({name: value for name, value in attributes.items() if value is not None})

    def _count(self, error: str) -> None:
        admitted, seconds = self._admitted, time.monotonic() - self._began
        self._meter.called(self._job.context, admitted.model, self.operation, seconds, error, admitted.attempt)


@contextmanager
def tool_span(job: Job, tool: str) -> Iterator[None]:
    """Inside, an agent's `tool` is run; a step that no agent asked for has no such span."""
    if job.agent is None:
        yield
        return
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool,
        "continuo.run": run_id(),
        "continuo.tenant": job.context.tenant,
        "continuo.pattern": job.context.pattern,
    }
    with tracer.start_as_current_span(
        f"execute_tool {tool}", attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except BaseException as raised:
            span.set_attribute("error.type", _kind(raised))
            span.set_status(StatusCode.ERROR, _kind(raised))
            raise


def _kind(error: BaseException) -> str:
    if isinstance(error, ProviderError):
        return error.kind
    return "cancelled" if isinstance(error, CancelledError) else "internal_error"


def _messages(messages: Sequence[Message]) -> str:
    """As JSON in the shape of the conventions: each with its role, and its text as a part."""
    return json.dumps([{"role": one.role, "parts": [{"type": "text", "content": one.text}]} for one in messages])
