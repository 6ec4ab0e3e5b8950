"""What a process counts of its calls and runs, for Prometheus; docs/metrics.md lists it.

Names and units are those of OpenTelemetry's conventions for generative AI where these have one. All labels have values
of a bounded number: a pattern or a model that the configuration does not name is `other`.
"""

from typing import Literal

from prometheus_client import Counter, Histogram

from continuo.authoring.library import Library
from continuo.config.catalog import Model
from continuo.errors import InputError
from continuo.jobs import CallRecord, Context
from continuo.operations.audit import Entry
from continuo.operations.runs import RunRow

Operation = Literal["chat", "embeddings"]

OTHER = "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Those that the conventions advise.
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_FIRST = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_TOKENS = tuple(4**power for power in range(14))

_CALL = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "pattern", "priority")
DURATION = Histogram(
    "gen_ai_client_operation_duration_seconds",
    "One request to a provider, from before its body is made to its last byte; error_type is empty for an answer.",
    (*_CALL, "error_type"),
    buckets=_SECONDS,
)
FIRST_CHUNK = Histogram(
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "Of a streamed request to a provider, until the first piece of its answer.",
    _CALL,
    buckets=_FIRST,
)
TOKENS = Histogram(
    "gen_ai_client_token_usage",
    "Tokens of a row of the ledger; gen_ai_token_type is input or output.",
    (*_CALL, "gen_ai_token_type"),
    buckets=_TOKENS,
)
COST = Counter(
    "continuo_call_cost_usd",
    "USD of the rows of the ledger; estimated is true for what was sent and never answered.",
    (*_CALL, "estimated"),
)
RETRIES = Counter("continuo_call_retries", "Requests to a provider that were not the first of their call.", _CALL)
LOOKUPS = Counter("continuo_cache_lookups", "Looks into the cache; result is hit, near or miss.", ("pattern", "result"))
RUNS = Counter(
    "continuo_runs",
    "Runs that have ended, those answered at the door included.",
    ("pattern", "status", "served_by", "gen_ai_request_model", "tier"),
)
RUN_DURATION = Histogram(
    "continuo_run_duration_seconds", "From the start of a run to its end.", ("pattern", "status"), buckets=_SECONDS
)
FALLBACKS = Counter(
    "continuo_fallbacks", "Runs that a tier behind the first one of a fallback or a cascade answered.", ("pattern",)
)
SAVED = Counter(
    "continuo_run_saved_usd",
    "USD that answers from the cache had cost, or that turns left out would have.",
    ("pattern",),
)
DECISIONS = Counter(
    "continuo_guardrail_decisions",
    "What stages and guards have decided on requests and answers.",
    ("pattern", "stage", "action"),
)
REQUESTS = Histogram(
    "http_server_request_duration_seconds",
    "A request to the gateway, to the last byte of its answer; http_route is the route and not the path.",
    ("http_request_method", "http_route", "http_response_status_code"),
    buckets=(*_SECONDS, 163.84, 327.68),
)


class Meter:
    """Counts each fact where it is established: a request where it ends, tokens and money where a row of the ledger is
    new, a run where its row has an end for the first time. What is tried or replayed again is in none of them twice."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def called(
        self, context: Context, model: Model, operation: Operation, seconds: float, error: str, attempt: int
    ) -> None:
        """One request to a provider has ended, the number `attempt` of its call; `error` is empty for an answer."""
        labels = self._call(context, model.provider, model.id, operation)
        DURATION.labels(*labels, error).observe(seconds)
        if attempt > 1:
            RETRIES.labels(*labels).inc()

    def began(self, context: Context, model: Model, operation: Operation, seconds: float) -> None:
        """The first piece of a streamed answer came after so many seconds."""
        FIRST_CHUNK.labels(*self._call(context, model.provider, model.id, operation)).observe(seconds)

    def booked(self, context: Context, record: CallRecord) -> None:
        """A row of the ledger is new."""
        known = self._library.catalog.models.get(record.model)
        operation: Operation = "embeddings" if known is not None and known.embeds else "chat"
        labels, usage = self._call(context, record.provider or "", record.model, operation), record.usage
        TOKENS.labels(*labels, "input").observe(usage.input_tokens)
        TOKENS.labels(*labels, "output").observe(usage.output_tokens)
        COST.labels(*labels, str(usage.estimated).lower()).inc(max(0.0, record.cost_usd or 0.0))

    def looked_up(self, pattern: str, result: Literal["hit", "near", "miss"]) -> None:
        LOOKUPS.labels(self._pattern(pattern), result).inc()

    def ended(self, row: RunRow) -> None:
        """The row of a run has an end for the first time."""
        pattern = self._pattern(row.pattern)
        model = self._model(row.model) if row.model else ""
        tier = "" if row.tier is None else str(row.tier)
        RUNS.labels(pattern, row.status, row.served_by or "", model, tier).inc()
        if row.latency_ms is not None:
            RUN_DURATION.labels(pattern, row.status).observe(row.latency_ms / 1000)
        if row.kind in ("fallback", "cascade") and (row.tier or 1) > 1:
            FALLBACKS.labels(pattern).inc()
        SAVED.labels(pattern).inc(max(0.0, row.saved_usd or 0.0))

    def entered(self, entry: Entry) -> None:
        """An event is new in the audit. What was decided on a request stands in the first one of its run, too."""
        pattern = self._pattern(entry.pattern or "")
        if entry.event == "refused":
            DECISIONS.labels(pattern, "door", "rejected").inc()
        if entry.event == "answered" and entry.served_by == "cache":
            LOOKUPS.labels(pattern, "hit").inc()
        if entry.event in ("began", "answered"):
            for one in entry.decisions:
                DECISIONS.labels(pattern, one.stage, one.action).inc()

    def checked(self, pattern: str, check: str, *, flagged: bool) -> None:
        """A guard has looked at an answer; what becomes of one that is flagged is its pattern's matter."""
        DECISIONS.labels(self._pattern(pattern), check, "flagged" if flagged else "passed").inc()

    @staticmethod
    def requested(method: str, route: str, status: int, seconds: float) -> None:
        """A request to the gateway has been answered; `route` is empty where there is none."""
        REQUESTS.labels(method if method in _METHODS else "_OTHER", route, str(status)).observe(seconds)

    def _call(self, context: Context, provider: str, model: str, operation: Operation) -> tuple[str, ...]:
        known = provider if provider in self._library.catalog.providers else OTHER
        return operation, known, self._model(model), self._pattern(context.pattern), context.priority

    def _model(self, id: str) -> str:
        return id if id in self._library.catalog.models else OTHER

    def _pattern(self, name: str) -> str:
        kind, _, model = name.partition(":")
        catalog = self._library.catalog
        if kind == "model" and (model in catalog.models or model in catalog.aliases):
            return name
        try:
            return name if name in self._library.names() else OTHER
        except InputError:
            # The folder of patterns is gone: nothing fails for that which only counts.
            return OTHER
