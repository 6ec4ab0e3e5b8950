"""Media behind an address: fetched from hosts that the operator allows, and never from the inside of a network."""

from urllib.parse import SplitResult

import httpx

from continuo.errors import InputError, ProviderError
from continuo.parts import MAX_MEDIA_BYTES
from continuo.protection.addresses import direct, numbers_of, parsed
from continuo.providers.limited import ACCEPTED, at_most, body

SECONDS = 30.0
"""For all of an exchange."""


async def fetched(address: str, hosts: str) -> bytes:
    """What is behind an https address whose host is among `hosts`, a list with commas.

    All addresses that the host's name has now must be public ones, and one of these is then connected to, whatever the
    name says a moment later. Raises `InputError` for any other address, a redirect, an error and more than is taken.
    """
    url = parsed(address)
    host = (url.hostname or "").lower()
    if url.scheme != "https":
        raise InputError(f"{address} is no https address; name one, or a file")
    if host not in {one.strip().lower() for one in hosts.split(",")} - {""}:
        raise InputError(
            f"{address} is of a host that is not allowed; add {host} to CONTINUO_MEDIA_HOSTS, or name a file"
        )
    try:
        numbers = await numbers_of(url)
    except InputError as error:
        raise InputError(f"{address}: {error}; name a file") from None
    return await download(url, numbers[0])


async def download(url: SplitResult, number: str) -> bytes:
    """The body behind `url`, asked of the host with the IP address `number`. Redirects are not followed."""
    address, request = url.geturl(), direct(url, number)
    try:
        async with (
            at_most(address, SECONDS),
            httpx.AsyncClient(trust_env=False) as client,
            client.stream(
                "GET", request.url, headers={**ACCEPTED, **request.headers}, extensions=request.extensions
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
