"""The line between two regions."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self


class Link:
    """Connections to its `address` lead to that of a server, both HOST:PORT. What goes in comes out `delay` seconds
    later, in either direction, until it is cut."""

    def __init__(self, server: str) -> None:
        self._server, self.delay, self.address = server, 0.0, ""
        self._ends = list[asyncio.StreamWriter]()
        self._listener: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.address = "{}:{}".format(*self._listener.sockets[0].getsockname())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cut()

    def cut(self) -> None:
        """What is under way is lost, and nothing goes in any more."""
        if self._listener is not None:
            self._listener.close()
        while self._ends:
            self._ends.pop().transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(*self._server.split(":"))
        self._ends += writer, there[1]
        await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while data := await reader.read(65_536):
                loop.call_later(self.delay, _write, writer, data)
        loop.call_later(self.delay, writer.close)


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.transport.is_closing():
        writer.write(data)
