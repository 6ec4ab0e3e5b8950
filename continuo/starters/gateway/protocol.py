"""HTTP/1.1 as uvicorn reads it, with limits that it does not have: of a request's head, in size and in time."""

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_TIME = 10.0
"""Seconds in which the head of a connection's first request must have come."""

MAX_HEAD = 64 * 1024
"""Bytes."""


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection that dribbles its head, or sends a large one; later requests have the time of keep-alive."""

    _timer: TimerHandle | None = None
    _head = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()
        if self._timer is not None:
            self._head += len(data)
        super().data_received(data)
        # What came whole is of the body too.
        if self._timer is not None and self._head > MAX_HEAD:
            self._close()

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head = 0
        self._timer = self.loop.call_later(HEAD_TIME, self._close)

    def _end_head(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._end_head()
        self.transport.close()
