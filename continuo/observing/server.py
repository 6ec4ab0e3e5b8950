"""`/metrics` of a process that serves nothing else."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from continuo.errors import InputError
from continuo.observing.exposition import MEDIA_TYPE, Exposition


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are the process's own."""
        yield


def bound(address: str) -> socket.socket:
    """A socket that is bound to HOST:PORT. Raises `InputError` for an address that cannot be had."""
    host, _, port = address.rpartition(":")
    try:
        places = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        family, kind, protocol, _, where = places[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(where)
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        raise InputError(
            f"CONTINUO_METRICS_ADDRESS={address}: {error}; choose another, each pool of a machine its own"
        ) from None
    return listener


@asynccontextmanager
async def serving(listener: socket.socket, exposition: Exposition) -> AsyncIterator[None]:
    """Inside, `/metrics` is served there, to whoever reaches it."""

    async def metrics(http: Request) -> Response:
        return Response(await exposition.text(), media_type=MEDIA_TYPE)

    app = Starlette(routes=[Route("/metrics", metrics)])
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False))
    task = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
