"""Who asks for an address on somebody's behalf reaches the internet alone, and never the inside of a network."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from continuo.errors import InputError

_INTERNET = IPv6Network("2000::/3")
"""All that is given out of version 6: what lies outside is special, or stands for an address of version 4."""

_CLOUDS = (IPv4Network("168.63.129.16/32"), IPv4Network("192.0.0.0/24"))
"""Of the internet by their numbers, and where clouds tell their machines about themselves."""

# Apart: a name that is answered slowly holds up nobody who needs a thread for anything else.
_RESOLVING = ThreadPoolExecutor(8, "resolving")


class NoAddress(InputError):
    """The host's name has no address now."""


class Direct(NamedTuple):
    """A request to a host at one of its IP addresses: the URL, and what httpx needs to ask it by the host's name."""

    url: str
    headers: dict[str, str]
    extensions: dict[str, str | None]


def parsed(address: str) -> SplitResult:
    """The parts of an address. Raises `InputError` where it is none."""
    try:
        url = urlsplit(address)
        _ = url.port
    except ValueError as error:
        raise InputError(f"{address} is no address: {error}; correct it") from None
    return url


def is_public(number: str) -> bool:
    """Whether an IP address is one of the internet: not private, loopback, link-local or reserved, however written."""
    ip = ip_address(number.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        # These stand for an address of version 4, which may be any.
        if ip.sixtofour is not None or ip.teredo is not None or ip not in _INTERNET:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in cloud for cloud in _CLOUDS)


def number_of(host: str) -> str | None:
    """The IP address that a host is written as, in decimal, octal or with parts left out as well; None for a name."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None


async def numbers_of(url: SplitResult, *, private: bool = False) -> list[str]:
    """The IP addresses that the host has now, all of them public unless `private` ones are fine.

    To be connected to as `direct` says, whatever the name says a moment later. Raises `NoAddress` for a host that has
    none, and `InputError` for one with any inside a network.
    """
    host, port = url.hostname or "", url.port or _port(url)
    loop = asyncio.get_running_loop()
    try:
        known = await loop.run_in_executor(_RESOLVING, socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAddress(f"{host} has no address: {error}") from None
    numbers = [str(entry[4][0]) for entry in known]
    if inside := [number for number in numbers if not private and not is_public(number)]:
        raise InputError(f"{host} is {inside[0]}, which is no public address")
    return numbers


def direct(url: SplitResult, number: str) -> Direct:
    """The request for `url` to the IP address `number`."""
    netloc = f"{f'[{number}]' if ':' in number else number}:{url.port or _port(url)}"
    return Direct(
        url._replace(netloc=netloc, fragment="").geturl(),
        {"Host": url.netloc.rpartition("@")[2]},
        {"sni_hostname": url.hostname},
    )


def _port(url: SplitResult) -> int:
    return 80 if url.scheme == "http" else 443
