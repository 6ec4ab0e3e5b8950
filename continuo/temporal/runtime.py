"""The SDK's core of a process."""

import logging
from functools import cache

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)


@cache
def runtime(metrics: str | None = None) -> Runtime:
    """The SDK's core of this process, which logs as Python does: left alone it writes to stdout, among the answers.

    It serves its `metrics` at this address, HOST:PORT, where one is given."""
    forwarding = LogForwardingConfig(logging.getLogger("temporalio.core"), append_target_to_name=False)
    levels = TelemetryFilter(core_level="WARN", other_level="ERROR")
    served = metrics and PrometheusConfig(
        metrics, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
    )
    logging_config = LoggingConfig(levels, forwarding=forwarding)
    return Runtime(telemetry=TelemetryConfig(logging=logging_config, metrics=served or None))
