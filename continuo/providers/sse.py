"""Server-sent events, as far as model providers use them."""

from collections.abc import Iterator

from continuo.errors import ProviderError

MAX_LINE = 2**20
"""Bytes of one event."""


class EventData:
    """Takes a stream's bytes in any pieces and gives the data of its events, one line each.

    A line ends with a line feed, a carriage return or both, as the standard has it. A text reader would also end it at
    U+2028 and its like, which JSON may hold as they are. What follows the last line's end was cut and is no event.
    """

    def __init__(self) -> None:
        self._line = bytearray()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Raises `ProviderError` for a line of more than `MAX_LINE` bytes."""
        # Between the two of a pair there is a line without anything, which is none.
        *ends, rest = chunk.replace(b"\r", b"\n").split(b"\n")
        for end in ends:
            self._grow(end)
            line = bytes(self._line)
            self._line.clear()
            data = line.removeprefix(b"data:").strip()
            if line.startswith(b"data:") and data != b"[DONE]":
                yield data
        self._grow(rest)

    def _grow(self, piece: bytes) -> None:
        self._line += piece
        if len(self._line) > MAX_LINE:
            raise ProviderError("invalid_response", f"a line of the stream has more than {MAX_LINE:,} bytes")
