"""Processes: the pools, the embedded Temporal server, the sandbox list, telemetry."""
