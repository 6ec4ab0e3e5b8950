"""The steps of a pattern that call tools of MCP servers, checked before it runs."""

from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from continuo.authoring.filled import LATE, filled
from continuo.config.catalog import Catalog
from continuo.errors import InputError, unknown
from continuo.patterns import Agent, Mcp, Step
from continuo.patterns.walk import given


def check_tools(step: Step, catalog: Catalog, environ: Mapping[str, str], data: Mapping[str, JsonValue]) -> None:
    """Raise `InputError` for a server that is unknown or lacks a variable, a tool that is not allowed, or a placeholder
    that the data does not fill. What the tool takes is known to its server alone."""
    # A judge is given these two as well, and a pattern may be one wherever it stands.
    late = dict.fromkeys((*LATE, "question", "answer"), "")
    for spec, written in given(step):
        if isinstance(spec, Agent):
            for name, wanted in spec.servers.items():
                _check(name, wanted.tools or (), catalog, environ)
        if not isinstance(spec, Mcp):
            continue
        _check(spec.server, [spec.tool], catalog, environ)
        values = {**(data if written is None else dict.fromkeys(written, "")), **late}
        for field, template in spec.input.items():
            try:
                filled(field, template, values)
            except InputError as error:
                raise InputError(f"tool {spec.tool!r} of server {spec.server!r}: {error}") from None


def _check(name: str, tools: Iterable[str], catalog: Catalog, environ: Mapping[str, str]) -> None:
    """Raise `InputError` for a server that cannot be used, or tools of it that may not be."""
    if (server := catalog.mcp.get(name)) is None:
        raise unknown("server", name, catalog.mcp)
    for tool in tools:
        if not server.allows(tool):
            raise unknown(f"tool of server {name!r}:", tool, server.tools or ())
    for variable in server.variables:
        if not environ.get(variable):
            raise InputError(f"server {name!r} needs {variable}; set it in the environment")
