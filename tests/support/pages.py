"""A person's browser without scripts: signed in to the page of a gateway, whose forms it sends."""

import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import httpx

from continuo.config.settings import Settings, environment
from continuo.protection.api_keys import parsed_secret
from continuo.stores.database import Database
from continuo.stores.opened import open_store
from continuo.stores.sessions import Sessions
from tests.support.gateway import GatewayProcess, new_key


class Browser:
    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self.http = http
        self.token = token

    async def see(self, path: str, **query: str) -> str:
        """The HTML of a page that can be had."""
        response = await self.http.get(f"/ui{path}", params=query or None)
        assert response.status_code == 200, response.text
        return response.text

    async def send(self, path: str, page: str, **fields: str) -> httpx.Response:
        """Send a form with the token that stands in the forms of `page`."""
        csrf = re.findall(r'name="csrf" value="(\w+)"', page)[0]
        return await self.http.post(f"/ui{path}", data={"csrf": csrf, **fields})


@asynccontextmanager
async def browsing(gateway: GatewayProcess, tenant: str = "acme", **fields: Any) -> AsyncIterator[Browser]:
    """Somebody who is signed in with a new key of these fields: signing in itself is allowed a few times a minute."""
    secret, token = parsed_secret(await new_key(tenant, **fields)), secrets.token_urlsafe()
    assert secret is not None
    async with stored() as database:
        await Sessions(database).create(token, secret.proof, time.time(), time.time() + 600)
    async with visiting(gateway) as http:
        http.cookies.set("continuo_session", token)
        yield Browser(http, token)


@asynccontextmanager
async def visiting(gateway: GatewayProcess, address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is not, who comes from this address."""
    transport, headers = httpx.AsyncHTTPTransport(local_address=address), {"origin": gateway.url}
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, transport=transport, timeout=30) as http:
        yield http


@asynccontextmanager
async def stored() -> AsyncIterator[Database]:
    """The store of the session."""
    database = open_store(Settings(), environment())
    try:
        yield database
    finally:
        await database.aclose()


def text_of(page: str) -> str:
    """What is read on a page."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())
