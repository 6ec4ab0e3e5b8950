"""How every process speaks with Temporal: connection, converter, search attributes, typed failures, telemetry."""
