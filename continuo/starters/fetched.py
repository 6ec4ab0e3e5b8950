"""Media behind an address: fetched from hosts that the operator allows, and never from the inside of a network."""

import asyncio
import socket
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

import httpx

from continuo.errors import InputError, ProviderError
from continuo.parts import MAX_MEDIA_BYTES
from continuo.providers.limited import ACCEPTED, at_most, body

SECONDS = 30.0
"""For all of an exchange."""

_NAT64 = IPv6Network("64:ff9b::/96")


async def fetched(address: str, hosts: str) -> bytes:
    """What is behind an https address whose host is among `hosts`, a list with commas.

    All addresses that the host's name has now must be public ones, and one of these is then connected to, whatever the
    name says a moment later. Raises `InputError` for any other address, a redirect, an error and more than is taken.
    """
    url = _parts(address)
    host = (url.hostname or "").lower()
    if url.scheme != "https":
        raise InputError(f"{address} is no https address; name one, or a file")
    if host not in {one.strip().lower() for one in hosts.split(",")} - {""}:
        raise InputError(
            f"{address} is of a host that is not allowed; add {host} to CONTINUO_MEDIA_HOSTS, or name a file"
        )
    try:
        known = await asyncio.get_running_loop().getaddrinfo(host, url.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise InputError(f"{address}: {host} has no address: {error.strerror}; correct it") from None
    numbers = [str(entry[4][0]) for entry in known]
    if inside := [number for number in numbers if not is_public(number)]:
        raise InputError(f"{address}: {host} is {inside[0]}, which is no public address; name a file")
    return await download(url, numbers[0])


def is_public(number: str) -> bool:
    """Whether an IP address is one of the internet: not private, loopback, link-local or reserved, however written."""
    ip = ip_address(number.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        # These stand for an address of version 4, which may be any.
        if ip.sixtofour is not None or ip.teredo is not None or ip in _NAT64:
            return False
    return ip.is_global and not ip.is_multicast


async def download(url: SplitResult, number: str) -> bytes:
    """The body behind `url`, asked of the host with the IP address `number`. Redirects are not followed."""
    address, host = url.geturl(), url.netloc.rpartition("@")[2]
    direct = url._replace(netloc=f"{f'[{number}]' if ':' in number else number}:{url.port or 443}", fragment="")
    try:
        async with (
            at_most(address, SECONDS),
            httpx.AsyncClient(trust_env=False) as client,
            client.stream(
                "GET",
                direct.geturl(),
                headers={**ACCEPTED, "Host": host},
                extensions={"sni_hostname": url.hostname},
            ) as response,
        ):
            if response.is_redirect:
                raise InputError(f"{address} redirects; name the address that it leads to")
            if not response.is_success:
                raise InputError(f"{address} answers {response.status_code}; correct it, or name a file")
            return await body(response, MAX_MEDIA_BYTES)
    except ProviderError as error:
        raise InputError(f"{address}: {error}; name a file") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InputError(f"{address} cannot be fetched: {type(error).__name__}: {error}; name a file") from None


def _parts(address: str) -> SplitResult:
    try:
        url = urlsplit(address)
        _ = url.port
    except ValueError as error:
        raise InputError(f"{address} is no address: {error}; correct it") from None
    return url
