"""The address that a caller wants told of an end, looked at before anything begins."""

import asyncio
from urllib.parse import SplitResult

from continuo.errors import InputError
from continuo.protection.addresses import NoAddress, numbers_of, parsed
from continuo.protection.webhooks import check_url, keys_of
from continuo.starters.gateway.state import Gateway
from continuo.wire.errors import refusing
from continuo.wire.jobs.body import Webhook

PATIENCE = 2.0
"""Seconds in which the host of a webhook is looked for before its run begins."""


async def webhook_of(gateway: Gateway, webhook: Webhook | None) -> str | None:
    """Raises `WireError` for an address that is told nothing, and where none is."""
    if webhook is None:
        return None
    address, library = webhook.url, gateway.door.library
    private = library.settings.webhook_private
    with refusing("webhook"):
        keys_of(library.environ)
    with refusing("webhook.url"):
        check_url(address, private=private)
        if not private:
            await _check_host(parsed(address))
    return address


async def _check_host(url: SplitResult) -> None:
    """Raises `InputError` for a host inside a network, and does not say where.

    One that has no address now may have one at the end; it is looked up again then.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            await numbers_of(url)
    except (TimeoutError, NoAddress):
        pass
    except InputError:
        raise InputError(f"{url.hostname} leads to no public address; name one of the internet") from None
