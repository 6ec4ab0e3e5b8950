"""`continuo dev`: the local stack, kept running, or around one command."""

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.protection.webhooks import keys_of, secret_of
from continuo.starters.console.terminal import err
from continuo.workers.joining import joining
from continuo.workers.local.interrupted import Interrupted, until_interrupted
from continuo.workers.local.ports import Ports
from continuo.workers.local.processes import die_with_parent, end


async def dev(
    *command: Annotated[str, Parameter(allow_leading_hyphen=True)],
    port: int = Ports.temporal,
    ui_port: int = Ports.ui,
    sim_port: int = Ports.sim,
    shop_port: int = Ports.shop,
    gateway_port: int = Ports.gateway,
    metrics_port: int = Ports.metrics,
    data: Path | None = None,
    supervise: Annotated[bool, Parameter(negative=())] = False,
    modules: Annotated[tuple[str, ...], Parameter(name="--with", negative=())] = (),
) -> int:
    """Start Temporal, the pools, the gateway, the simulated provider and the shop, until Ctrl-C.

    Parameters
    ----------
    command
        After --: run this with the addresses in its environment, then end, with its exit code.
    port
        Temporal's port; 0 is any free one, as for the others.
    ui_port
        The port of Temporal's Web UI.
    sim_port
        The simulated provider's port.
    shop_port
        The example shop's port.
    gateway_port
        The gateway's port.
    metrics_port
        The port of the metrics of the pool of critical; those of standard and batch have the next two.
    data
        The folder of the runs, the journal and the ledger; a later start finds them there.
    supervise
        Start a process again when it dies.
    modules
        A module whose WORKFLOWS and ACTIVITIES join every pool; it may be given several times.
    """
    joining(modules)
    if command and shutil.which(command[0]) is None:
        raise InputError(f"there is no command {command[0]!r}; name one that exists after --")
    ports = Ports(port, ui_port, sim_port, shop_port, gateway_port, metrics_port)
    try:
        return await until_interrupted(_session(command, ports, data, supervise, modules))
    except Interrupted as interrupted:
        # Of the stack itself a signal is the ordinary end, of a command it is an interruption.
        return 128 + interrupted.signal if command else 0


async def _warn_of_others(data: Path) -> None:
    """Pools that are there already take runs too, and look for prompts and answers in a folder of their own."""
    from continuo.temporal.connect import connect, connection
    from continuo.temporal.queues import takers

    if connection().get("target_host") and (others := await takers(await connect())):
        message = f"other pools work on this cluster's queues already ({', '.join(others)})"
        err.print(
            f"warning: {message} and may take runs of this stack; end them, unless they use the data in {data} too"
        )


async def _session(
    command: tuple[str, ...], ports: Ports, data: Path | None, supervise: bool, modules: tuple[str, ...]
) -> int:
    from continuo.workers.local.stack import Stack
    from continuo.workers.local.supervision import watch

    data = data or Settings().data
    await _warn_of_others(data)
    async with Stack(ports, data, modules) as stack:
        watching = asyncio.create_task(watch(stack.children, restart=supervise))
        working = asyncio.create_task(_run(command, stack.environment) if command else _wait(stack.environment))
        try:
            await asyncio.wait([watching, working], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            dead = watching.result()
            print(f"error: the {dead.name} died; see {dead.log}", file=sys.stderr)
            return 1
        finally:
            watching.cancel()
            working.cancel()
            await asyncio.wait([watching, working])


async def _wait(environment: dict[str, str]) -> int:
    """Say where everything is, and wait to be cancelled."""
    print(f"Temporal UI          {environment['CONTINUO_UI_URL']}")
    print(f"Temporal server      {environment['TEMPORAL_ADDRESS']}")
    print(f"simulated provider   {environment['CONTINUO_SIM_URL']}")
    print(f"example shop         {environment['CONTINUO_SHOP_URL']}")
    print(f"gateway              {environment['CONTINUO_GATEWAY_URL']}/v1")
    print(f"metrics of the pools {environment['CONTINUO_METRICS_URLS'].replace(',', ' ')}")
    print(f"a key for it         {environment['CONTINUO_GATEWAY_KEY']}")
    print(f"its webhooks' secret {secret_of(keys_of(environment)[0], 'default')}")
    print(f"data and logs        {environment['CONTINUO_DATA']}")
    print('ready; try: continuo run support "Where is my order?"   (Ctrl-C ends everything)', flush=True)
    await asyncio.Event().wait()
    return 0


async def _run(command: tuple[str, ...], environment: dict[str, str]) -> int:
    """Run the command to its end. Its exit code, or 128 and the number of the signal that killed it."""
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, preexec_fn=die_with_parent
    )
    try:
        code = await process.wait()
    finally:
        await end(process)
    return code if code >= 0 else 128 - code
