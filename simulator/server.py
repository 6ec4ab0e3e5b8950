"""Serving an application on a loopback port, for the simulator and for whatever else stands for the world."""

import logging
import socket
import sys

import uvicorn
from starlette.types import ASGIApp


def serve(app: ASGIApp, host: str, port: int, name: str) -> None:
    """Serve until SIGTERM or SIGINT. Port 0 is any free one; the address is the first line printed."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        print(f"error: port {port} of the {name} is taken; choose another with --port", file=sys.stderr)
        sys.exit(2)
    listener.listen(2048)
    print(f"http://{host}:{listener.getsockname()[1]}", flush=True)
    # Scripted broken connections are exceptions to the server: they are no news.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=1, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])
