"""Decodes what Temporal's UI and CLI show of encrypted histories, for who has an admin key."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from urllib.parse import parse_qs

from google.protobuf.json_format import MessageToDict, Parse, ParseError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payloads
from temporalio.converter import PayloadCodec

from continuo.access.ring import KeyRing
from continuo.authoring.library import Library
from continuo.errors import InputError
from continuo.protection.encryption import VARIABLE, cipher
from continuo.stores.api_keys import ApiKeys
from continuo.stores.opened import open_store
from continuo.temporal.encrypted import EncryptedPayloads
from continuo.temporal.refreshing import refreshing
from continuo.wire.review_page import HEADERS

BODY = 32 * 2**20
"""Bytes of a request at most: a page of the UI asks for all of a history's payloads at once."""

COOKIE = "continuo_codec"
SESSION = 12 * 3600
"""Seconds for which who has given a key in a browser need not give it again."""

FORM = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Continuo codec server</title></head><body>\n'
    '<h1>Codec server</h1>\n<p>{}</p>\n<form method="post"><label>Admin key <input name="key" type="password" size="60"'
    ' autocomplete="off"></label> <button>Enter</button></form>\n</body></html>\n'
)


class Doors:
    """Who may enter: an admin key as `Authorization: Bearer KEY`, or a browser in which one was given."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._sessions: dict[str, tuple[str, float]] = {}

    async def opens(self, secret: str) -> bool:
        key = await self._ring.find(secret)
        return key is not None and key.admin

    async def session(self, secret: str) -> str:
        """The cookie of a new session."""
        now = time.monotonic()
        self._sessions = {cookie: one for cookie, one in self._sessions.items() if one[1] > now}
        cookie = secrets.token_urlsafe(32)
        self._sessions[cookie] = secret, now + SESSION
        return cookie

    async def entered(self, http: Request) -> bool:
        kind, _, secret = http.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return await self.opens(secret.strip())
        secret, until = self._sessions.get(http.cookies.get(COOKIE, ""), ("", 0.0))
        # Asked again: the key may have been revoked meanwhile.
        return until > time.monotonic() and await self.opens(secret)


def create(origin: str) -> Starlette:
    """The application; `origin` is that of the UI, whose pages alone may read what is answered.

    Raises `InputError` where no key is set.
    """
    library = Library()
    key = cipher(library.environ)
    if key is None:
        raise InputError(f"{VARIABLE} is not set, so nothing is encrypted; set it as the pools have it")
    codec = EncryptedPayloads(key)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        store = open_store(library.settings, library.environ)
        async with aclosing(store), refreshing(library.settings.key_refresh):
            app.state.codec, app.state.doors = codec, Doors(KeyRing(ApiKeys(store)))
            yield

    cors = Middleware(
        CORSMiddleware,
        allow_origins=[origin],
        allow_methods=["POST"],
        allow_headers=["authorization", "content-type", "x-namespace"],
        allow_credentials=True,
    )
    routes = [
        Route("/decode", decode, methods=["POST"]),
        Route("/encode", encode, methods=["POST"]),
        Route("/", form),
        Route("/", enter, methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=[cors], lifespan=lifespan)


async def decode(http: Request) -> Response:
    return await _coded(http, "decode")


async def encode(http: Request) -> Response:
    return await _coded(http, "encode")


async def form(http: Request) -> Response:
    """The page on which a browser is let in; Temporal's UI then sends the cookie with its requests."""
    doors: Doors = http.app.state.doors
    said = (
        "This browser may decode." if await doors.entered(http) else "Give an admin key: continuo keys create --admin"
    )
    return HTMLResponse(FORM.format(said), headers=dict(HEADERS))


async def enter(http: Request) -> Response:
    doors: Doors = http.app.state.doors
    content = await _body(http, 4096)
    secret = parse_qs((content or b"").decode(errors="replace")).get("key", [""])[0].strip()
    if not await doors.opens(secret):
        return HTMLResponse(FORM.format("This is no admin key."), 401, dict(HEADERS))
    response = RedirectResponse("/", 303)
    response.set_cookie(
        COOKIE,
        await doors.session(secret),
        max_age=SESSION,
        httponly=True,
        # The UI on another port of the same host is the same site.
        samesite="strict",
        secure=http.url.scheme == "https",
    )
    return response


async def _coded(http: Request, action: str) -> Response:
    doors: Doors = http.app.state.doors
    codec: PayloadCodec = http.app.state.codec
    if not await doors.entered(http):
        message = "send an admin key as `Authorization: Bearer KEY`, or open this server's page and give it there"
        return _refused(401, message)
    content = await _body(http, BODY)
    if content is None:
        return _refused(413, f"the body has more than {BODY:,} bytes; ask for fewer payloads")
    try:
        payloads = Parse(content, Payloads())
    except (ValueError, ParseError, RecursionError):
        return _refused(400, 'send {"payloads": […]} as JSON, each with `metadata` and `data` in base64')
    work = codec.decode if action == "decode" else codec.encode
    try:
        coded = Payloads(payloads=await work(payloads.payloads))
    except InputError as error:
        return _refused(400, str(error))
    return JSONResponse(MessageToDict(coded), headers={"cache-control": "no-store"})


async def _body(http: Request, most: int) -> bytes | None:
    """The body; None for one of more bytes, the rest of which is not read."""
    content = bytearray()
    async for chunk in http.stream():
        content += chunk
        if len(content) > most:
            return None
    return bytes(content)


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
