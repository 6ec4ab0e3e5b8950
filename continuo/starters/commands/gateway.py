"""`continuo gateway`: OpenAI's and Anthropic's APIs over HTTP."""

from socket import socket as Socket
from typing import Annotated

from cyclopts import Parameter, validators

from continuo.workers.local.ports import BACKLOG

KEEP_ALIVE = 75
"""Seconds for which a connection without a request stays open: longer than the SDKs and proxies keep theirs."""

AT_ONCE = 2_000
"""Connections of a process; one more is answered 503."""

DRAIN = 30
"""Seconds that requests have to end after SIGTERM; runs go on, and a client that asks again finds its own."""


def gateway(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))] = 8080,
    processes: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=64))] = 1,
    socket: Annotated[int | None, Parameter(validator=validators.Number(gte=3))] = None,
) -> None:
    """Serve OpenAI's and Anthropic's APIs until Ctrl-C; `continuo keys create` makes API keys.

    Parameters
    ----------
    host
        The address to listen at; 0.0.0.0 is all of this host's.
    port
        The port to listen at.
    processes
        So many processes share the port.
    socket
        The number of a listening socket that is inherited, in place of host and port: whoever holds it as well can
        start the gateway again without refusing a connection.
    """
    # Loaded here: no other command needs a server.
    import uvicorn

    from continuo.starters.gateway.processes import Processes
    from continuo.starters.gateway.protocol import BoundedProtocol

    config = uvicorn.Config(
        "continuo.starters.gateway.app:create",
        factory=True,
        host=host,
        port=port,
        backlog=BACKLOG,
        workers=processes,
        http=BoundedProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=DRAIN,
        limit_concurrency=AT_ONCE,
    )
    sockets = [config.bind_socket() if socket is None else Socket(fileno=socket)]
    if processes > 1:
        Processes(config, sockets).run()
    else:
        uvicorn.Server(config).run(sockets)
