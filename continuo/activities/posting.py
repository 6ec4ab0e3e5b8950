"""Posting to an address of the internet, on somebody's behalf."""

import ssl
import time
from collections.abc import Mapping
from functools import cached_property

import httpx

from continuo.errors import InputError, ProviderError
from continuo.protection.addresses import direct, numbers_of, parsed
from continuo.protection.webhooks import check_url, secrets_of, signed
from continuo.providers.limited import at_most

SECONDS = 15.0
"""For all of an exchange."""


class NotTaken(Exception):
    """What was posted was not taken; the message says why."""


class Posting:
    """With `private` addresses may be inside a network, and of http."""

    def __init__(self, environ: Mapping[str, str], *, private: bool) -> None:
        self._environ = environ
        self._private = private

    async def post(self, address: str, body: str, headers: Mapping[str, str]) -> int:
        """The status of the answer, whose body is not read. No redirect is followed. Raises `NotTaken` without one."""
        try:
            return await self._posted(address, body, headers)
        except (InputError, ProviderError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotTaken(f"{type(error).__name__}: {error}") from error

    async def signed(self, address: str, body: str, tenant: str, id: str, media_type: str = "application/json") -> int:
        """The same for what is signed by the secrets of a tenant or a subscriber, under the `id` of an event."""
        try:
            secrets = secrets_of(self._environ, tenant)
        except InputError as error:
            raise NotTaken(str(error)) from None
        headers = {"content-type": media_type, **signed(secrets, id, int(time.time()), body)}
        return await self.post(address, body, headers)

    async def _posted(self, address: str, body: str, headers: Mapping[str, str]) -> int:
        check_url(address, private=self._private)
        url = parsed(address)
        async with at_most(url.hostname or "", SECONDS):
            numbers = await numbers_of(url, private=self._private)
            request = direct(url, numbers[0])
            headers = {"user-agent": "continuo-webhooks", **headers, **request.headers}
            async with (
                httpx.AsyncClient(trust_env=False, verify=self._certificates, timeout=SECONDS) as client,
                client.stream(
                    "POST", request.url, content=body, headers=headers, extensions=request.extensions
                ) as response,
            ):
                return response.status_code

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        # Read once: they take longer than a delivery.
        return httpx.create_ssl_context()
