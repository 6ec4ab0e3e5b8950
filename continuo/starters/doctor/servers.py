"""The stack's own HTTP servers, where their variables are set."""

import httpx

from continuo.authoring.library import Library
from continuo.starters.doctor.check import Finding
from continuo.stores.backend import address

PATIENCE = 4.0
"""Seconds to wait, fewer than the limit of a check, so that it can say what it waits for."""


async def simulator(library: Library) -> Finding:
    return await _answers(library, "CONTINUO_SIM_URL")


async def shop(library: Library) -> Finding:
    return await _answers(library, "CONTINUO_SHOP_URL")


async def gateway(library: Library) -> Finding:
    return await _answers(library, "CONTINUO_GATEWAY_URL", "/readyz")


async def _answers(library: Library, variable: str, path: str = "/") -> Finding:
    """Whether anything but a server's error is the response."""
    url = library.environ.get(variable)
    if not url:
        return Finding("ok", f"not checked, since {variable} is not set")
    fix = f"start it, as `continuo dev` does; or correct or unset {variable}"
    try:
        where = address(url)
        async with httpx.AsyncClient(timeout=PATIENCE) as http:
            response = await http.get(f"{url.rstrip('/')}{path}")
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError):
        # The error shows a part of it, which may be a password.
        return Finding("error", f"{variable} is no URL", fix)
    except httpx.HTTPError as error:
        return Finding("error", f"{where} does not answer: {type(error).__name__} {error}", fix)
    if response.is_server_error:
        return Finding("error", f"{where} answers {response.status_code}: {response.text[:200]}", fix)
    return Finding("ok", f"{where} answers")
