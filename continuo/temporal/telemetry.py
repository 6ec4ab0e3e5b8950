"""Logs and traces of a process: JSON lines with workflow ids, and one trace from the starter to the provider."""

import logging
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from temporalio import activity
from temporalio.client import Interceptor
from temporalio.exceptions import ActivityError

from continuo.jobs import Job
from continuo.protection.masking import Masker

EVENT_LOOP = "temporalio.worker._workflow_instance"
"""The logger of the event loops of workflows."""


def matters(record: logging.LogRecord) -> bool:
    """False for the failure of an activity that a cancellation has overtaken in the same moment: the SDK looks at the
    cancellation alone, and then complains that nobody took the failure, which the activity has told itself."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, ActivityError) and record.getMessage().startswith("Future exception was never"))


def configure_logging(level: str, masker: Masker) -> None:
    """Send every log record of the process, and the error that ends it, to stderr as one JSON line, masked."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
                lambda logger, method, line: masker.json(str(line)),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    sys.excepthook = lambda *error: logging.critical("an error ends the process", exc_info=error)
    # What these say of each request and each failed attempt, with its stack, our own line says in short.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    logging.getLogger("temporalio.activity").setLevel(logging.ERROR)
    logging.getLogger(EVENT_LOOP).addFilter(matters)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def configure_tracing(service: str, masker: Masker) -> list[Interceptor]:
    """The interceptors that trace a process, as OpenTelemetry's own environment says.

    `OTEL_TRACES_EXPORTER` is `otlp`, `console` (to stderr) or `none`; unset means `otlp` where
    `OTEL_EXPORTER_OTLP_ENDPOINT` is set, else none, which costs nothing.
    """
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    exporter = os.environ.get("OTEL_TRACES_EXPORTER") or ("otlp" if endpoint else "none")
    if exporter == "none":
        return []
    # Its libraries take a starter longer to load than all it does.
    from continuo.temporal.tracing import traced

    return [traced(service, exporter, masker)]


@asynccontextmanager
async def log_context(arguments: Sequence[Any]) -> AsyncIterator[None]:
    """Puts the ids of the run and the activity on every log line of an activity, and whose run of what it is."""
    info, job = activity.info(), next((one for one in arguments if isinstance(one, Job)), None)
    if job is not None:
        structlog.contextvars.bind_contextvars(tenant=job.context.tenant, pattern=job.context.pattern)
    # Each activity runs in a task, and so in a context, of its own: nothing has to be unbound.
    structlog.contextvars.bind_contextvars(
        workflow_id=info.workflow_id or info.activity_id,
        run_id=info.workflow_run_id or info.activity_run_id,
        workflow=info.workflow_type,
        activity_id=info.activity_id,
        attempt=info.attempt,
    )
    yield
