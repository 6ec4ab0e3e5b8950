"""Serving an application on a loopback port, for the simulator and for whatever else stands for the world."""

import errno
import resource
import signal
import socket
import sys

import uvicorn
from starlette.types import ASGIApp

_OPEN_FILES = 10_000


def serve(app: ASGIApp, port: int, name: str, *, host: str = "127.0.0.1") -> None:
    """Serve until SIGTERM or SIGINT, then exit with code 0, with at most a second for requests in flight.

    Port 0 is any free one; the address is the first line printed. Exits with code 2 where it cannot listen.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn ends its own work first, and then raises the signal again for whoever listened before.
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        listener = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = f"port {port} of the {name} is taken" if taken else f"the {name} cannot listen on {host}:{port}: {error}"
        print(f"error: {why}; choose another with --port", file=sys.stderr)
        sys.exit(2)
    _allow_open_files()
    print(f"http://{host}:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        app,
        # Scripted broken connections are exceptions to the server, and they are no news.
        log_level="critical",
        access_log=False,
        lifespan="off",
        # uvicorn's 5 s are also httpx's: both would let go of an idle connection at once, and a request get lost.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _allow_open_files() -> None:
    """A connection is an open file, and the usual limit of 1,024 is less than what waits here at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < _OPEN_FILES:
        wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
