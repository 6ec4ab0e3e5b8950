"""Media behind addresses: from hosts of the internet alone, and as they are there."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from urllib.parse import SplitResult, urlsplit

import pytest

from continuo.errors import InputError
from continuo.parts import MAX_MEDIA_BYTES
from continuo.starters.fetched import download, fetched

PHOTO = b"a photo"


@pytest.mark.parametrize("numbers", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"]])
async def test_a_host_with_any_address_inside_is_refused_before_it_is_connected_to(
    numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [(0, 0, 0, "", (number, 443)) for number in numbers]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: known)
    with pytest.raises(InputError, match=rf"media.example is {numbers[-1]}, which is no public address"):
        await fetched("https://media.example/a.png", "media.example")


@pytest.fixture
async def host() -> AsyncIterator[Callable[[str], SplitResult]]:
    """A host on this machine, of which no name is known: the address of what it has at a path."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        answers = {
            "/photo.png?size=1": b"200 OK\r\ncontent-length: 7\r\n\r\n" + PHOTO,
            "/moved.png": b"302 Found\r\nlocation: /photo.png?size=1\r\ncontent-length: 0\r\n\r\n",
            "/none.png": b"404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "/large.png": b"200 OK\r\n\r\n" + bytes(MAX_MEDIA_BYTES + 1),
        }
        right = f"\r\nhost: media.example:{port}\r\n" in head.lower()
        writer.write(b"HTTP/1.1 " + (answers[head.split()[1]] if right else b"421 Wrong\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield lambda path: urlsplit(f"http://media.example:{port}{path}")
    server.close()


async def test_the_host_is_asked_at_the_address_that_was_checked_under_its_own_name(
    host: Callable[[str], SplitResult],
) -> None:
    assert await download(host("/photo.png?size=1#top"), "127.0.0.1") == PHOTO


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/moved.png", "/moved.png redirects; name the address that it leads to"),
        ("/none.png", "/none.png answers 404; correct it, or name a file"),
        ("/large.png", "its body has more than 20,000,000 bytes; name a file"),
    ],
)
async def test_what_is_not_the_medium_itself_is_refused(
    host: Callable[[str], SplitResult], path: str, says: str
) -> None:
    with pytest.raises(InputError) as caught:
        await download(host(path), "127.0.0.1")
    assert says in str(caught.value)
