"""The steps of a pattern that call tools of MCP servers, checked before it runs."""

from collections.abc import Mapping

from pydantic import JsonValue

from continuo.authoring.filled import LATE, filled
from continuo.config.catalog import Catalog
from continuo.errors import InputError, unknown
from continuo.patterns import Mcp, Step
from continuo.patterns.walk import specs


def check_tools(step: Step, catalog: Catalog, environ: Mapping[str, str], data: Mapping[str, JsonValue]) -> None:
    """Raise `InputError` for a server that is unknown or lacks a variable, a tool that is not allowed, or a placeholder
    that the data does not fill. What the tool takes is known to its server alone."""
    # A judge is given these two as well, and a pattern may be one wherever it stands.
    values = {**data, **dict.fromkeys((*LATE, "question", "answer"), "")}
    for spec in specs(step):
        if not isinstance(spec, Mcp):
            continue
        if (server := catalog.mcp.get(spec.server)) is None:
            raise unknown("server", spec.server, catalog.mcp)
        if not server.allows(spec.tool):
            raise unknown(f"tool of server {spec.server!r}:", spec.tool, server.tools or ())
        for name in server.variables:
            if not environ.get(name):
                raise InputError(f"server {spec.server!r} needs {name}; set it in the environment")
        for field, template in spec.input.items():
            try:
                filled(field, template, values)
            except InputError as error:
                raise InputError(f"tool {spec.tool!r} of server {spec.server!r}: {error}") from None
