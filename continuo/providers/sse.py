"""Server-sent events, as far as model providers use them."""

from collections.abc import Iterator


class EventData:
    """Takes a stream's bytes in any pieces and gives the data of its events, one line each.

    Only a line feed ends a line. A text reader would also end it at U+2028 and its like, which JSON may hold as
    they are. What follows the last line feed was cut and is no event.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            data = line.removeprefix(b"data:").strip()
            if line.startswith(b"data:") and data != b"[DONE]":
                yield data
