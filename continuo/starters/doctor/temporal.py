"""The Temporal server, and who works there."""

from typing import get_args

from temporalio.service import RPCError

from continuo.authoring.library import Library
from continuo.jobs import Priority
from continuo.starters.doctor.check import Finding
from continuo.temporal.attributes import ALL
from continuo.temporal.connect import connect, connection
from continuo.temporal.queues import pollers
from continuo.workers.local.temporal_server import find


async def server(library: Library) -> Finding:
    try:
        client = await connect()
    except RPCError as error:
        names = ", ".join(key.name for key in ALL)
        return Finding("error", f"the server refuses: {error}", f"give access, and register there {names}")
    address = client.service_client.config.target_host
    return Finding("ok", f"{address} answers, namespace {client.namespace}, search attributes are registered")


async def embedded_server(library: Library) -> Finding:
    """Whether the `temporal` command is there, which is needed without a cluster."""
    if binary := find(library.settings.cache):
        return Finding("ok", f"the command is {binary}")
    if host := connection().get("target_host"):
        return Finding("ok", f"none, and none is needed with a server at {host}")
    message = f"no `temporal` command on PATH or in {library.settings.cache}"
    return Finding("warning", message, "`continuo dev` downloads it; or set TEMPORAL_ADDRESS to a cluster")


async def pools(library: Library) -> Finding:
    client = await connect()
    counts = {priority: len(await pollers(client, priority)) for priority in get_args(Priority)}
    message = "workers: " + ", ".join(f"{priority} {count}" for priority, count in counts.items())
    if idle := [priority for priority, count in counts.items() if not count]:
        fix = "; ".join(f"continuo workers --priority {priority}" for priority in idle)
        return Finding("warning", f"{message}; runs of {', '.join(idle)} wait until one is there", fix)
    return Finding("ok", message)
