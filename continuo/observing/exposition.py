"""The metrics of a process as Prometheus reads them: what it counts, what stores and Temporal know, the SDK's own."""

import os
import socket
from collections.abc import Iterable

import httpx
import structlog
from opentelemetry.instrumentation.utils import suppress_instrumentation
from prometheus_client import REGISTRY, CollectorRegistry, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from continuo.observing.facts import Facts

log = structlog.get_logger()

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder in which several processes of a gateway count together."""

PATIENCE = 2.0
"""Seconds for the SDK's core to say what it counts."""


def free_address() -> str:
    """A port of loopback that was free just now: there the SDK's core says what it counts, to its own process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Exposition:
    """`core` is where the SDK's core is asked for its metrics, None where nobody shows them."""

    def __init__(self, facts: Facts | None, core: str | None) -> None:
        self._facts = facts
        self._core = core

    async def text(self) -> bytes:
        """All of it. What cannot be had is left out, with a line in the log."""
        facts = await self._facts.read() if self._facts else ()
        return generate_latest(_counted()) + generate_latest(_Given(facts)) + await self._of_core()

    async def _of_core(self) -> bytes:
        if self._core is None:
            return b""
        try:
            with suppress_instrumentation():
                async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
                    response = await http.get(f"http://{self._core}/metrics")
                    return response.raise_for_status().content
        except httpx.HTTPError as error:
            log.warning("the metrics of Temporal's SDK cannot be read", error=f"{type(error).__name__}: {error}")
            return b""


class _Given:
    """Metrics that are there, as a collector."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _counted() -> CollectorRegistry:
    """What this process has counted, or all that share its folder."""
    if not os.environ.get(SHARED):
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together
