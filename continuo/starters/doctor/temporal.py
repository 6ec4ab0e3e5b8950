"""The Temporal server, and who works there."""

from collections.abc import Mapping, Set
from typing import get_args

from temporalio.service import RPCError

from continuo.authoring.library import Library
from continuo.jobs import Priority
from continuo.starters.doctor.check import Finding
from continuo.temporal.attributes import ALL
from continuo.temporal.builds import DEPLOYMENT, Standing, standings
from continuo.temporal.connect import connect, connection
from continuo.temporal.queues import pollers, takers
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
    counts = {priority: len(await takers(client, priority)) for priority in get_args(Priority)}
    message = "workers: " + ", ".join(f"{priority} {count}" for priority, count in counts.items())
    if idle := [priority for priority, count in counts.items() if not count]:
        fix = "; ".join(f"continuo workers --priority {priority}" for priority in idle)
        return Finding("warning", f"{message}; runs of {', '.join(idle)} wait until one is there", fix)
    return Finding("ok", message)


async def builds(library: Library) -> Finding:
    client = await connect()
    polling = {priority: {one.build for one in await pollers(client, priority)} for priority in get_args(Priority)}
    return standing(await standings(client), polling)


def standing(known: Mapping[str, Standing], polling: Mapping[Priority, Set[str]]) -> Finding:
    """What is to be done about the builds that are `known`, of which some have pools that are `polling` a queue."""
    queues = {build: [priority for priority, builds in polling.items() if build in builds] for build in known}
    shown = {build: one for build, one in known.items() if queues[build] or one not in ("drained", "waiting")}
    message = ", ".join(
        f"{build} {one}" + (f" (only {', '.join(on)})" if 0 < len(on := queues[build]) < len(polling) else "")
        for build, one in shown.items()
    )
    if left := [build for build, one in shown.items() if one == "draining" and not queues[build]]:
        fix = "; ".join(f"CONTINUO_BUILD={build} continuo workers" for build in left)
        return Finding("warning", f"{message}: runs of {', '.join(left)} may wait: there is no pool of it", fix)
    waiting = [build for build, one in shown.items() if one == "waiting"]
    if waiting and "current" not in shown.values():
        fix = f"temporal worker deployment set-current-version --deployment-name {DEPLOYMENT} --build-id {waiting[0]}"
        return Finding("warning", f"{message}: no run comes to a build until one is current", fix)
    return Finding("ok", message or "no pool has one")
